#!/bin/sh
# Build the interface packages that the tests of the ROS package use and that have no wheel (control_msgs,
# controller_manager_msgs, moveit_msgs, franka_msgs, xarm_msgs), with generators from the package index, for one environment.
#   tools/bootstrap_interfaces.sh FOLDER
# The result is in FOLDER/interfaces/, under a digest of the definitions, the pinned versions and the Python version.
# A second call reuses it. The environment itself is not changed: the build uses a temporary one.
set -eu

venv=$1
kit=ros2_ws/src/actor/test/interfaces_kit.py
target=$("$venv/bin/python" "$kit")

if [ -d "$target" ]; then
    echo "The interface packages are built: $target"
    exit 0
fi

include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
missing=
for tool in cmake g++ make; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -f "$include/Python.h" ] || missing="$missing python3-dev"
if [ -n "$missing" ]; then
    echo "The interface packages are not built, and the tests that need them are left out: missing$missing;" \
        "on Debian and Ubuntu: sudo apt-get install cmake g++ make python3-dev" >&2
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "make: $*" >&2
    exit 1
}

# The ROS wheels set LD_LIBRARY_PATH when Python starts; a parent Python process has set it for its own environment.
unset LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
python=$("$venv/bin/python" -c 'import sys; print(sys._base_executable)')
echo "Building the tests' interface packages into $target; it takes some minutes, once."
"$python" -m venv "$work/venv"
pinned=$(sed -n 's/^\(ros-[^ ]*==.*\)/\1/p' constraints/interfaces.txt)
# shellcheck disable=SC2086  # a list of packages
PIP_ROOT_USER_ACTION=ignore "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --retries 10 --constraint constraints/cpu.txt --constraint constraints/ros.txt \
    $pinned 'ros-jazzy-rclpy[fastrtps]' ros-geometry-msgs ros-sensor-msgs ros-std-msgs ros-trajectory-msgs \
    colcon-core colcon-cmake colcon-ros colcon-recursive-crawl colcon-parallel-executor colcon-library-path setuptools ||
    fail "pip could not install the generators (see above); check the connection to the package index, then run make again"

# The wheels contain the include paths of the container in which they were built.
numpy=$("$work/venv/bin/python" -c 'import numpy; print(numpy.get_include())')
grep -rlZ --include='*.cmake' '/opt/python/cp' "$work/venv/share" | xargs -0 sed -i -E \
    -e "s#/opt/python/cp[0-9]+-cp[0-9]+/lib/python[0-9.]+/site-packages/numpy/_core/include#$numpy#g" \
    -e "s#/opt/python/cp[0-9]+-cp[0-9]+/include/python[0-9.]+#$include#g"

# Every library finds its neighbours relative to its own location, so that the folder can be moved.
if ! env PATH="$work/venv/bin:$PATH" AMENT_PREFIX_PATH="$work/venv" CMAKE_PREFIX_PATH="$work/venv" HOME="$work" \
    "$work/venv/bin/python" -m colcon --log-base "$work/log" build --merge-install --event-handlers console_direct+ \
    --base-paths "$(dirname "$kit")/interfaces" --build-base "$work/build" --install-base "$work/install" \
    --cmake-args -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=$work/venv/bin/python" \
    '-DCMAKE_INSTALL_RPATH=$ORIGIN;$ORIGIN/../../..' >"$work/build.log" 2>&1; then
    tail -n 60 "$work/build.log" >&2
    fail "the interface packages could not be built (see above)"
fi
rm -rf "$work/install/include"
mkdir -p "$(dirname "$target")"
mv "$work/install" "$target.new"
mv "$target.new" "$target"
