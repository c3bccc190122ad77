"""A stand-in for `launch_ros`, for a machine without ROS."""
