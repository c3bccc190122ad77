"""What a robot is, and everything that stands around it: cameras, devices, tasks, safety and the gymnasium environment."""
