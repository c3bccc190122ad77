"""Evaluates a launch file as `ros2 launch` does, with the stand-ins: `evaluate_launch.py FILE [name:=value ...]`.

Run it with a Python that has nothing of the product: `python3 -I -S`, and in STAND_INS the folders of the stand-ins, of
PyYAML and of the installed `actor_ros`. It writes one JSON object.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys

PRODUCT = ("runtime", "robot_envs", "policies", "transport", "actor", "learner", "configs", "steadyhand")
HEAVY = ("torch", "hydra", "numpy", "rclpy", "zmq", "msgspec")


def main(words: list[str]) -> None:
    sys.path += os.environ["STAND_INS"].split(os.pathsep)
    there = [name for name in (*PRODUCT, *HEAVY) if importlib.util.find_spec(name) is not None]
    from launch.actions import DeclareLaunchArgument, OpaqueFunction

    from launch import LaunchContext

    spec = importlib.util.spec_from_file_location("launch_file", words[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext()
    context.launch_configurations |= dict(word.split(":=", 1) for word in words[1:])
    declared, started = {}, []
    for entity in module.generate_launch_description().entities:
        found = entity.execute(context)
        if isinstance(entity, DeclareLaunchArgument):
            declared[entity.name] = [entity.default_value, entity.description, entity.choices]
        elif isinstance(entity, OpaqueFunction):
            started += found
    processes = [
        {
            "name": getattr(entity, "node_name", entity.name),
            "command": entity.command(context),
            "parameters": getattr(entity, "parameters", []),
            "gone_s": entity.sigterm_timeout + entity.sigkill_timeout,
        }
        for entity in started
    ]
    imported = sorted(name for name in (*PRODUCT, *HEAVY) if name in sys.modules)
    json.dump({"there": there, "imported": imported, "declared": declared, "processes": processes}, sys.stdout)


main(sys.argv[1:])
