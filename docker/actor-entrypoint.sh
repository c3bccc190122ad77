#!/usr/bin/env bash
# Runs a command with ROS 2, the vendor's workspace where one is mounted, and the nodes in reach.
set -eo pipefail
source /opt/ros/jazzy/setup.bash
if [ -e /vendor/local_setup.bash ]; then
    source /vendor/local_setup.bash
fi
source /opt/ros2_ws/local_setup.bash
exec "$@"
