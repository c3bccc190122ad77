"""The ids of this machine's actor, and of the run, the task and the robot."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from steadyhand.actor.config import ActorConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import present_name
from steadyhand.runtime.run_folder import ActorFolder, RunFolder
from steadyhand.runtime.run_lock import run_lock
from steadyhand.transport.run_identity import Identity, IdentityError

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
    """Return a host name as an actor id: lower case, without characters that are special in a path or a shell."""
    return re.sub(r"[^a-z0-9_.-]+", "-", host.lower()).lstrip("_.-")[:64] or "robot"


def host_actor_id() -> str:
    """Return the actor id of this machine, derived from its host name."""
    return actor_id(socket.gethostname())


def configured_actor_id(config: Mapping[str, Any]) -> str:
    """Return the actor id of a composed configuration: `actor.id`, or the one of this machine.

    Raises:
        ConfigError: The group `actor` is wrong.
    """
    return build(ActorConfig, config["actor"], "actor").id or host_actor_id()


@contextmanager
def claimed_actor(run: RunFolder, actor_id: str) -> Iterator[ActorFolder]:
    """Hold the locks of a run and of this actor's id while the context lasts, so that the run cannot be pruned.

    Raises:
        RunLockError: Another process uses this actor id, or archives or prunes the run.
    """
    with run_lock(run.path, "actor", shared=True):
        folder = run.actor(actor_id)
        try:
            with run_lock(folder.path, "actor", otherwise="actor.id"):
                yield folder
        except BaseException:
            with suppress(OSError):  # a refused start leaves no folder; rmdir fails on one that holds files
                folder.path.rmdir()
                run.actors.rmdir()
            raise


def identity_of(config: Mapping[str, Any], run: RunFolder | None = None) -> Identity:
    """Return the task and the robot of a composed configuration, and the run.

    A foreign environment has no known robot. A run with a generated name has no name that an actor could have been
    given.

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
    """Refuse a policy that was trained on another robot, unless the configuration accepts it.

    Args:
        trained: Identity with which the policy was trained, as JSON; {} for a policy older than identities.
        config: The composed configuration of the robot that the policy will control.
        what: The name of the policy, for the error.

    Raises:
        ConfigError: The robot is another one.
    """
    line = Identity.from_json(dict(trained)).robot_difference(identity_of(config))
    if line and not config["learner"].get("accept_other_robot", False):
        raise ConfigError(
            f"{what}: trained on another robot ({line}); choose its robot=... and gripper=..., or give "
            "learner.accept_other_robot=true"
        )


def task_identity(task: Mapping[str, Any]) -> str:
    """Return the identity of a task: its entry point, and its id in gymnasium's registry."""
    arguments = task.get("arguments")
    environment_id = arguments.get("id") if isinstance(arguments, dict) else None
    return present_name(str(task.get("entry_point"))) + (f" {environment_id}" if environment_id else "")


def _robot(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return name, joints, tool frame and gripper of the configured arm; a value that is not configured is empty."""
    robot = config.get("robot") or {}
    profile, limits = robot.get("profile") or {}, robot.get("joint_limits") or {}
    gripper = config.get("gripper") or profile.get("gripper") or {}
    joints = profile.get("joints") or limits.get("low_rad") or ()
    return {
        "robot": str(robot.get("name") or ""),
        "joints": len(joints),
        "tool": str(profile.get("tool_frame") or ""),
        # The embedded mock has the hand of its model, regardless of the group `gripper`.
        "gripper": str(gripper.get("joint") or NO_GRIPPER) if profile else "",
    }
