"""Comparison of two resolved configurations of a task: the settings that change a record's meaning, and the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steadyhand.runtime.logging import quoted

__all__ = ["Difference", "task_differences"]

# Settings that choose only the demonstrator, the length of an episode, and the drawing on a screen.
FREE = {
    "expert",
    "max_steps",
    "drive.max_steps",
    "arguments.render_mode",
    "arguments.max_episode_steps",
    "arguments.disable_env_checker",
}
CONVERTED = {"drive.action_scale_m", "drive.action_scale_rad"}  # action_gain converts what was recorded
GRIPPER = "drive.gripper_open_m"  # what an action of 1 commands, where actions have a gripper entry
SCENE = "scene."  # of the mock; no configuration describes the scene of a real cell
SETTINGS = "settings."
ARGUMENTS = "arguments."


@dataclass(frozen=True)
class Difference:
    """One setting that differs between two tasks. `matters`: it changes the meaning of records."""

    key: str
    then: Any
    now: Any
    matters: bool

    def line(self, which: str) -> str:
        """Return the setting of `then` or `now`, written as an override."""
        return f"task.{self.key}={_text(getattr(self, which))}"


def task_differences(
    then: Mapping[str, Any], now: Mapping[str, Any], episode_settings: Sequence[str] | None
) -> list[Difference]:
    """Return the differences between the recorded task and the current one, those that matter first.

    A setting that is missing on one side counts as null. A setting that only the current task has never matters,
    because it was added after the recording.

    Args:
        then: The task's resolved configuration when it was recorded.
        now: The same today.
        episode_settings: Names in `settings` that affect only the start of episodes. None = not known; then no
            difference in `settings` counts as one that matters.
    """
    old, new = (dict(_leaves(task, "")) for task in (then, now))
    learns_gripper = bool((then.get("drive") or {}).get("learns_gripper"))
    free = FREE | CONVERTED | (set() if learns_gripper else {GRIPPER})
    found = []
    for key in dict.fromkeys([*new, *old]):
        a, b = old.get(key), new.get(key)
        if a == b or key in free:
            continue
        # A missing argument means its default. Any other missing key was added in a later version.
        came_later = key not in old and not key.startswith(ARGUMENTS)
        found.append(Difference(key, a, b, _matters(key, episode_settings) and not came_later))
    return sorted(found, key=lambda difference: not difference.matters)


def _matters(key: str, episode_settings: Sequence[str] | None) -> bool:
    if key.startswith(SCENE):
        return False
    if key.startswith(SETTINGS):
        name = key.removeprefix(SETTINGS).partition(".")[0]
        return episode_settings is not None and name not in episode_settings
    return True


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every value that is not a mapping, with its dotted path; lists are compared as a whole."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, (int, float)) else quoted(value, 60).strip("'")
