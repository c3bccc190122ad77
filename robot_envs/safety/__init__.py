"""What stands between anybody's action and the robot."""
