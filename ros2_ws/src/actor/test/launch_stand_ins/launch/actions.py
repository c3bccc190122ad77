"""Actions, as far as robot.launch.py uses them.

Written from ros2/launch, branch jazzy (09403fce), launch/launch/:
actions/declare_launch_argument.py:105-223: an empty list of choices, a default or a value outside of them is an error;
actions/opaque_function.py:49-75; actions/execute_process.py;
descriptions/executable.py:163-200: the prefix is split as a shell would;
actions/execute_local.py:85-88: time limits are text;
utilities/normalize_to_list_of_substitutions_impl.py:26-50: text, or a list of text, and nothing else.
"""

from __future__ import annotations

import shlex

from launch import LaunchContext, LaunchDescriptionEntity


def text(value) -> str:
    if isinstance(value, str):
        return value
    parts = list(value)
    if not all(isinstance(part, str) for part in parts):
        raise TypeError(f"Failed to normalize given item {value!r}")
    return "".join(parts)


class DeclareLaunchArgument(LaunchDescriptionEntity):
    """Gives an argument its default, and refuses a value that is no choice."""

    def __init__(self, name, *, default_value=None, description=None, choices=None) -> None:
        self.name, self.default_value, self.description, self.choices = name, default_value, description, choices
        if choices is not None:
            if len(choices) == 0:
                raise RuntimeError("Provided choices arg is empty. Use None to ignore the choice list.")
            if default_value is not None and default_value not in choices:
                raise RuntimeError(f'Provided default_value "{default_value}" is not in provided choices "{choices}".')

    def execute(self, context: LaunchContext):
        if self.name not in context.launch_configurations:
            if self.default_value is None:
                raise RuntimeError(f'Required launch argument "{self.name}" was not provided.')
            context.launch_configurations[self.name] = text(self.default_value)
        value = context.launch_configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(
                f'Argument "{self.name}" provided value "{value}" is not valid. Valid options are: {self.choices}'
            )


class OpaqueFunction(LaunchDescriptionEntity):
    """Calls a function, which returns more entities."""

    def __init__(self, *, function) -> None:
        self._function = function

    def execute(self, context: LaunchContext):
        return self._function(context)


class ExecuteProcess(LaunchDescriptionEntity):
    """A process: `command` is what would be run."""

    def __init__(self, *, cmd, prefix="", name=None, output="log", sigterm_timeout="5", sigkill_timeout="5") -> None:
        self.name, self.output = name, output
        self.sigterm_timeout, self.sigkill_timeout = float(text(sigterm_timeout)), float(text(sigkill_timeout))
        self._cmd, self._prefix = [text(word) for word in cmd], text(prefix)

    def command(self, context: LaunchContext) -> list[str]:
        return shlex.split(self._prefix) + self._cmd
