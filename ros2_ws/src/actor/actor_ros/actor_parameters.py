"""The actor's ROS parameters: their descriptions, and their conversion to configuration overrides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from actor_ros.executables import REPLAY, RUN, WORKS, ArgumentError, link_words
from steadyhand.job import quoted
from steadyhand.runtime.build import ConfigError

__all__ = ["DESCRIPTIONS", "ActorParameters", "declare"]

DESCRIPTIONS: dict[str, tuple[Any, str]] = {
    "device": ("none", "What the person has in hand: a file of configs/device/."),
    "learner_address": (
        "",
        "Where the learner takes records, tcp://host:port; weights come from the next port.",
    ),
    "work": ("practise", f"What is done once motion is enabled: {', '.join(WORKS)}."),
    "policy": ("", f"The file that `steadyhand export` has written, for work {RUN}."),
    "recording": ("", f"Folder of a demo set or log, for work {REPLAY}."),
    "episode": (-1, f"Number of the recording's episode, for work {REPLAY}; -1 = its first."),
    "autostart": (False, "Configure and activate by itself. On a real robot a person does that."),
    "once": (False, "End the process when the work is done."),
    "run_root": ("runs", "Folder of the run folders."),
    "run_name": ("", "The run; an existing one is continued. Empty = a new one."),
}


@dataclass(frozen=True)
class ActorParameters:
    """The given parameters.

    Attributes:
        work: The work, one of WORKS.
        policy: The exported policy to deploy, if that is the work.
        recording: The demo set or log to replay, if that is the work.
        episode: Number of its episode; -1 = its first.
        autostart: Whether the node configures and activates itself.
        once: Whether the process ends after the work.
        choices: Overrides of the configuration, in order of precedence.
    """

    work: str
    policy: Path | None
    recording: Path | None
    episode: int
    autostart: bool
    once: bool
    choices: tuple[str, ...]


def declare(node: Node) -> ActorParameters:
    """Declare the parameters that `parameters.compose_config` has not declared, and return their values.

    Raises:
        ConfigError: A value is invalid.
    """
    values: dict[str, Any] = {}
    for name, (default, description) in DESCRIPTIONS.items():
        node.declare_parameter(name, default, ParameterDescriptor(description=description, read_only=True))
        values[name] = node.get_parameter(name).value
    if values["work"] not in WORKS:
        raise ConfigError(f"work: expected one of {', '.join(WORKS)}, found {values['work']!r}")
    if (values["work"] == RUN) != bool(values["policy"]):
        raise ConfigError(
            f"policy: expected the file of an exported policy with work {RUN}, and none otherwise, "
            f"found work {values['work']} and policy {values['policy']!r}"
        )
    if (values["work"] == REPLAY) != bool(values["recording"]):
        raise ConfigError(
            f"recording: expected the folder of a demo set or log with work {REPLAY}, and none otherwise, "
            f"found work {values['work']} and recording {values['recording']!r}"
        )
    try:
        link = link_words(values["learner_address"]) if values["learner_address"] else []
    except ArgumentError as error:
        raise ConfigError(str(error)) from None
    robot, task, overrides = (node.get_parameter(name).value for name in ("robot", "task", "overrides"))
    choices = [
        f"robot={robot}",
        f"task={task}",
        f"device={values['device']}",
        f"run_root={quoted(Path(values['run_root']))}",
        *([f"run_name={values['run_name']}"] if values["run_name"] else []),
        *link,
        *[str(override) for override in overrides if override],
    ]
    policy = Path(values["policy"]) if values["policy"] else None
    return ActorParameters(
        work=values["work"],
        policy=policy,
        recording=Path(values["recording"]) if values["recording"] else None,
        episode=int(values["episode"]),
        autostart=bool(values["autostart"]),
        once=bool(values["once"]),
        choices=tuple(choices),
    )
