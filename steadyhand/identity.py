"""The ids under which this machine works on a run: of its actor, of the run, of the task and of the robot."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from steadyhand.actor.config import ActorConfig
from steadyhand.runtime.component import present_name
from steadyhand.runtime.config import ConfigError, build
from steadyhand.runtime.run_folder import ActorFolder, RunFolder
from steadyhand.runtime.run_lock import run_lock
from steadyhand.transport.identity import Identity, IdentityError

__all__ = [
    "actor_id",
    "check_robot",
    "claimed_actor",
    "configured_actor_id",
    "host_actor_id",
    "identity_of",
    "task_identity",
]

NO_GRIPPER = "none"


def actor_id(host: str) -> str:
    """Make a host's name an actor's: the wire knows only lower case, and no sign that a path or a shell minds."""
    return re.sub(r"[^a-z0-9_.-]+", "-", host.lower()).lstrip("_.-")[:64] or "robot"


def host_actor_id() -> str:
    """Return the actor id of this machine, made of its host name."""
    return actor_id(socket.gethostname())


def configured_actor_id(config: Mapping[str, Any]) -> str:
    """Return the actor id of a composed configuration: `actor.id`, or the one of this machine.

    Raises:
        ConfigError: The group `actor` is wrong.
    """
    return build(ActorConfig, config["actor"], "actor").id or host_actor_id()


@contextmanager
def claimed_actor(run: RunFolder, actor_id: str) -> Iterator[ActorFolder]:
    """Work on a run as this actor while the context lasts: no other process is the same one, and nobody prunes the run.

    Raises:
        RunLockError: Another process is this actor, or puts the run away.
    """
    with run_lock(run.path, "actor", shared=True):
        folder = run.actor(actor_id)
        try:
            with run_lock(folder.path, "actor", otherwise="actor.id"):
                yield folder
        except BaseException:
            with suppress(OSError):  # a start that was refused leaves no folder; others have something in theirs
                folder.path.rmdir()
                run.actors.rmdir()
            raise


def identity_of(config: Mapping[str, Any], run: RunFolder | None = None) -> Identity:
    """Return the task and the robot of a composed configuration, and the run.

    A foreign environment has no robot that we know, and a run whose name was made up has none that an actor could
    have been given.

    Raises:
        ConfigError: A name is too long to be sent.
    """
    names = {"task": task_identity(config["task"])}
    if config["task"].get("kind") != "gym":
        names |= _robot(config)
    if run is not None:
        names |= {"run_name": run.name if config.get("run_name") else "", "run_id": run.run_id}
    try:
        return Identity.from_json(names)
    except IdentityError as error:
        raise ConfigError(f"{error}; shorten the name in robot, gripper or task.entry_point") from None


def check_robot(trained: Mapping[str, Any], config: Mapping[str, Any], what: str) -> None:
    """Refuse a policy that was trained on another robot, unless the configuration accepts that.

    Args:
        trained: Identity with which the policy was trained, as JSON; {} for one from before it was kept.
        config: The composed configuration of the robot that the policy is to act on.
        what: The policy, for the error.

    Raises:
        ConfigError: It is another robot.
    """
    line = Identity.from_json(dict(trained)).robot_difference(identity_of(config))
    if line and not config["learner"].get("accept_other_robot", False):
        raise ConfigError(
            f"{what}: trained on another robot ({line}); choose its robot=... and gripper=..., or give "
            "learner.accept_other_robot=true"
        )


def task_identity(task: Mapping[str, Any]) -> str:
    """Return what makes a task another one: its entry point, and its id in gymnasium's own registry."""
    arguments = task.get("arguments")
    environment_id = arguments.get("id") if isinstance(arguments, dict) else None
    return present_name(str(task.get("entry_point"))) + (f" {environment_id}" if environment_id else "")


def _robot(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return name, joints, tool frame and gripper of the configured arm; what a configuration leaves open is empty."""
    robot = config.get("robot") or {}
    profile, limits = robot.get("profile") or {}, robot.get("joint_limits") or {}
    gripper = config.get("gripper") or profile.get("gripper") or {}
    joints = profile.get("joints") or limits.get("low_rad") or ()
    return {
        "robot": str(robot.get("name") or ""),
        "joints": len(joints),
        "tool": str(profile.get("tool_frame") or ""),
        # The embedded mock has the hand of its model, whatever the group says.
        "gripper": str(gripper.get("joint") or NO_GRIPPER) if profile else "",
    }
