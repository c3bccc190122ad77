"""Starts a robot's nodes: `ros2 launch actor robot.launch.py --show-args` explains each argument."""

from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from actor_ros.executables import ARGUMENTS, learner_words, programs
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; what they lead to is in `actor_ros.executables`, which the demo shares."""
    declared = [
        DeclareLaunchArgument(
            name,
            default_value=argument.default,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for name, argument in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_start)])


def _start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    nodes: list[LaunchDescriptionEntity] = [
        Node(
            package="actor",
            executable=program.executable,
            name=program.node,
            namespace=given["namespace"],
            output="screen",
            parameters=[program.parameters, *([given["params_file"]] if given["params_file"] else [])],
        )
        for program in programs(given)
    ]
    words = learner_words(given)
    if words is not None:
        nodes.append(ExecuteProcess(cmd=["python3", "-m", "steadyhand", *words], output="screen", name="learner"))
    return nodes
