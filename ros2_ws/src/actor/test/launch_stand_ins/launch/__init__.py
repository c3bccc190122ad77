"""A stand-in for the few classes of ROS 2's `launch` that robot.launch.py uses, for a machine without ROS.

Written from ros2/launch, branch jazzy (09403fce): launch/launch/launch_description.py, launch/launch/launch_context.py.
"""

from __future__ import annotations


class LaunchDescriptionEntity:
    """Something that a launch file describes."""

    def execute(self, context: LaunchContext):
        return None


class LaunchContext:
    """The values of the arguments, as text (`launch_configurations`)."""

    def __init__(self) -> None:
        self.launch_configurations: dict[str, str] = {}


class LaunchDescription:
    """A list of entities."""

    def __init__(self, entities: list[LaunchDescriptionEntity]) -> None:
        self.entities = list(entities)
