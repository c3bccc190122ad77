#!/bin/sh
# Add real rclpy, FastDDS and colcon to the virtual environment that `make` uses, from the package index alone.
#   tools/bootstrap_ros.sh FOLDER
# On a robot PC, ROS is installed from apt instead (docs/ros.md).
set -eu

venv=$1

echo "Installing ROS 2 (rclpy, FastDDS, colcon) into $venv."
PIP_ROOT_USER_ACTION=ignore "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --retries 10 --constraint constraints/cpu.txt --constraint constraints/ros.txt \
    --use-pep517 --no-build-isolation --editable '.[sim,export,run,pretrained,dev,ros,colcon]' || {
    echo "make: pip could not install ROS 2 (see above); check the connection to the package index, then run make again" >&2
    exit 1
}
