# The actor beside a real robot: the ROS 2 nodes of ros2_ws/ on ROS 2 Jazzy. Torch is the CPU one.

FROM ros:jazzy-ros-base-noble
# Another index to take torch from; PyTorch's own has CPU-only wheels, much smaller than the default.
ARG TORCH_INDEX=
# ROS' and Ubuntu's archives keep no old versions to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv python3-colcon-common-extensions \
        libegl1 libgl1-mesa-dri libosmesa6 \
        ros-jazzy-control-msgs ros-jazzy-controller-manager-msgs ros-jazzy-moveit-msgs \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 steadyhand \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin steadyhand \
    && install --directory --owner 10001 --group 10001 /data/runs
# ROS' own Python packages come from the system, everything else from the environment.
RUN python3 -m venv --system-site-packages /opt/venv && touch /opt/venv/COLCON_IGNORE
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /opt/steadyhand
COPY constraints constraints
RUN pip install --no-cache-dir --constraint constraints/cpu.txt \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch==2.13.0 setuptools==84.2.1
# What may be copied is listed in .dockerignore.
COPY . .
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Built by the environment's Python, so that the installed nodes find both torch and rclpy.
RUN pip install --no-cache-dir --no-build-isolation --constraint constraints/cpu.txt --constraint constraints/ros.txt \
        '.[robot]' \
    && source /opt/ros/jazzy/setup.bash \
    && python3 -m colcon build --base-paths ros2_ws/src --build-base /tmp/build --install-base /opt/ros2_ws \
    && rm -rf /tmp/build log \
    && test -e /opt/ros2_ws/actor/share/ament_index/resource_index/packages/actor
ENV HOME=/tmp ROS_LOG_DIR=/tmp/ros PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
USER 10001:10001
ENTRYPOINT ["/opt/steadyhand/docker/actor-entrypoint.sh"]
CMD ["ros2", "launch", "actor", "robot.launch.py"]
