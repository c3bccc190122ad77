"""Safety limits and supervision between every action, the operator's or the policy's, and the robot."""
