"""Launch file of a robot's nodes: `ros2 launch actor robot.launch.py --show-args` explains each argument.

It runs under the interpreter of `ros2`, which may not have the product. Import only ROS' launch here, and modules of
`actor_ros` that import no other package.
"""

import os
import shlex

from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch_ros.actions import Node

from actor_ros.executables import ARGUMENTS, SIGKILL_AFTER_S, SIGTERM_AFTER_S, learner_words, programs
from actor_ros.interpreter import find_interpreter
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; `actor_ros.executables`, shared with the demo, defines the programs."""
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
    given = {name: context.launch_configurations[name] for name in ARGUMENTS}
    python = find_interpreter(given["python"], os.environ)
    ending = {"sigterm_timeout": SIGTERM_AFTER_S, "sigkill_timeout": SIGKILL_AFTER_S}
    nodes: list[LaunchDescriptionEntity] = [
        Node(
            package="actor",
            executable=program.executable,
            exec_name=program.executable,  # log lines then name the program instead of `python3`
            name=program.node,
            namespace=given["namespace"],
            output="screen",
            parameters=[program.parameters, *([given["params_file"]] if given["params_file"] else [])],
            prefix=shlex.quote(python),
            **ending,
        )
        for program in programs(given)
    ]
    words = learner_words(given)
    if words is not None:
        learner = [python, "-m", "steadyhand", *words]
        nodes.append(ExecuteProcess(cmd=learner, output="screen", name="learner", **ending))
    return nodes
