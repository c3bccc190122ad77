"""A node as a process, as `launch_ros` starts it.

Written from ros2/launch_ros, branch jazzy (62c56e5), launch_ros/launch_ros/:
actions/node.py:119-240: the words of the command;
actions/node.py:369-378: a dictionary of parameters becomes a file under the node's full name;
actions/node.py:383-450: namespace, then the parameters in their order; a file that is not there is left out;
substitutions/executable_in_package.py: `<prefix>/lib/<package>/<executable>`;
utilities/evaluate_parameters.py:40-130: scalars, and sequences of one type that are not empty.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import yaml
from launch.actions import ExecuteProcess, text

from launch import LaunchContext

SCALARS = (bool, int, float, str)


class Node(ExecuteProcess):
    """A process of a ROS package."""

    def __init__(self, *, package, executable, exec_name, name, namespace, parameters, **process) -> None:
        self.package, self.executable = text(package), text(executable)
        self.node_name, self.namespace, self.parameters = text(name), text(namespace), list(parameters)
        super().__init__(cmd=[self.executable], name=exec_name, **process)

    def command(self, context: LaunchContext) -> list[str]:
        namespace = self.namespace if self.namespace.startswith("/") else f"/{self.namespace}"
        words = ["--ros-args", "-r", f"__node:={self.node_name}", "-r", f"__ns:={namespace}"]
        for given in self.parameters:
            path = self._file(given, namespace) if isinstance(given, dict) else text(given)
            words += ["--params-file", path] if os.path.isfile(path) else []
        prefix = super().command(context)[:-1]
        return [*prefix, _executable(self.package, self.executable), *words]

    def _file(self, given: dict, namespace: str) -> str:
        for name, value in given.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            if (
                not values
                or type(values[0]) not in SCALARS
                or any(type(each) is not type(values[0]) for each in values)
            ):
                raise TypeError(f"Expected a non-empty sequence, with items of uniform type, for {name!r}: {value!r}")
        node = f"{namespace.rstrip('/')}/{self.node_name}"
        with tempfile.NamedTemporaryFile(mode="w", prefix="launch_params_", delete=False) as file:
            yaml.dump({node: {"ros__parameters": given}}, file, default_flow_style=False)
        return file.name


def _executable(package: str, executable: str) -> str:
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix) / "lib" / package / executable
        if os.access(path, os.X_OK):
            return str(path)
    raise RuntimeError(f"executable '{executable}' not found on the libexec directory of package '{package}'")
