#!/usr/bin/env bash
# Runs a command with ROS 2 and the nodes of the workspace in reach.
set -eo pipefail
source /opt/ros/jazzy/setup.bash
source /opt/ros2_ws/setup.bash
exec "$@"
