"""The robot and its surroundings: cameras, input devices, tasks, safety and the gymnasium environment."""
