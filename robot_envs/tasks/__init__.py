"""What the robot is to learn: how an episode starts, what is observed beside the robot, and when it is done."""
