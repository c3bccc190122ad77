"""What a robot is, and what stands around it: cameras, devices, tasks, safety and the gymnasium environment."""
