"""The identity of a session: its run, its task and its robot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from steadyhand.runtime.logging import escaped, get_logger, quoted
from steadyhand.runtime.run_folder import atomic_write_bytes

__all__ = ["UNKNOWN", "Identity", "IdentityError", "read_identity", "write_identity"]

FILE = "identity.json"
MAX_FILE_BYTES = 4096
# Shown to people: no control characters for a terminal.
RunName = Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9_.-]{0,63})?\Z")]
RunId = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]
Name = Annotated[str, Meta(pattern=r"^[ -~]{0,64}\Z")]
TaskName = Annotated[str, Meta(pattern=r"^[ -~]{0,256}\Z")]
JointCount = Annotated[int, Meta(ge=0, le=256)]

_log = get_logger("transport.identity")

ROBOT = ("robot", "joints", "tool", "gripper")


class IdentityError(ValueError):
    """A value that is no identity, or an identity with a name that is too long."""


class Identity(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A run, a task and a robot. An empty text or a zero means unknown, which matches everything.

    Attributes:
        run_name: Name of the run folder.
        run_id: 16 random bytes in hex, made once for a run.
        task: Entry point of the task, and its id in gymnasium's own registry.
        robot: Name of the arm.
        joints: Number of its joints.
        tool: Frame of the tool centre point.
        gripper: Joint of the gripper; `none` is a robot without one.
    """

    run_name: RunName = ""
    run_id: RunId = ""
    task: TaskName = ""
    robot: Name = ""
    joints: JointCount = 0
    tool: Name = ""
    gripper: Name = ""

    def run_difference(self, other: Identity) -> str:
        """Return one line that names both runs when `other` is of another run; "" when it is not.

        A session that does not know its run's id yet belongs to the run of that name.
        """
        if self.run_id and other.run_id:
            differs = self.run_id != other.run_id
        else:
            differs = bool(self.run_name and other.run_name) and self.run_name != other.run_name
        return f"run: expected {self.run_text()}, found {other.run_text()}" if differs else ""

    def run_text(self) -> str:
        """Return the name of the run and the beginning of its id."""
        return f"{self.run_name or 'a run without a name'} ({self.run_id[:8] or 'no id yet'})"

    def task_difference(self, other: Identity) -> str:
        """Return one line when `other` does another task; "" when it does not."""
        return self._difference(other, "task")

    def robot_difference(self, other: Identity) -> str:
        """Return one line when `other` is another robot; "" when it is not."""
        return "; ".join(filter(None, (self._difference(other, name) for name in ROBOT)))

    def objections(self, other: Identity, actor_id: str, accept_other_robot: bool) -> list[str]:
        """Return the reasons why the learner of this identity refuses an actor of `other`, one line each.

        Args:
            other: Identity of the actor's session.
            actor_id: Id of the actor, for the log.
            accept_other_robot: Whether another robot is only a warning.
        """
        lines = []
        if line := self.run_difference(other):
            lines.append(f"{line}; start the actor with the learner's run_name, or find its own learner")
        if line := self.task_difference(other):
            lines.append(f"{line}; give actor and learner the same task")
        if line := self.robot_difference(other):
            if accept_other_robot:
                _log.warning("%s: %s; accepted, as learner.accept_other_robot says", actor_id, line)
            else:
                lines.append(f"{line}; start a new run, or the learner with learner.accept_other_robot=true")
        return lines

    def filled(self, other: Identity) -> Identity:
        """Return this identity, with the task and the robot of `other` where this one has none."""
        missing = {name: getattr(other, name) for name in ("task", *ROBOT) if not getattr(self, name)}
        return msgspec.structs.replace(self, **missing)

    def of_run(self, other: Identity) -> Identity:
        """Return this identity with the run of `other`."""
        return msgspec.structs.replace(self, run_name=other.run_name, run_id=other.run_id)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(msgspec.to_builtins(self))

    @classmethod
    def from_json(cls, data: object) -> Identity:
        """Return the identity that `to_json` described.

        Raises:
            IdentityError: The value is no identity.
        """
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise IdentityError(f"identity: expected one of a run, found {quoted(str(error), 160)}") from None

    def _difference(self, other: Identity, name: str) -> str:
        expected, found = getattr(self, name), getattr(other, name)
        return f"{name}: expected {expected}, found {found}" if expected and found and expected != found else ""


UNKNOWN = Identity()


def write_identity(folder: Path, identity: Identity) -> None:
    """Write the identity of the session in `folder` beside its log, once: an earlier one stays."""
    if not (folder / FILE).exists():
        atomic_write_bytes(folder / FILE, msgspec.json.encode(identity))


def read_identity(folder: Path) -> Identity:
    """Return the identity of the session in `folder`; an empty one for a log of a release that wrote none.

    Raises:
        IdentityError: The file holds no identity.
    """
    path = folder / FILE
    if not path.is_file():
        return UNKNOWN
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES)
    try:
        return msgspec.json.decode(raw, type=Identity)
    except (msgspec.MsgspecError, ValueError) as error:
        found = escaped(str(error), 160)
        raise IdentityError(f"{path}: expected the identity of a session, found {found}; remove the file") from None
