"""The person at a calibration: leads the arm with a device, or guides it by hand, and takes poses with a key."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from steadyhand.actor.supervision.person_keys import PersonKeys
from steadyhand.calibration.cell import Cell, CellStopError
from steadyhand.calibration.leading import Leader
from steadyhand.robot_envs.devices.make import held_by_person, input_name, make_device, make_person
from steadyhand.robot_envs.devices.mapping import AGAIN, PARK, RESUME, STOP, SUCCESS
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["Person", "person_at", "take_poses"]

KEYBOARD = "keyboard"
MEANINGS = {SUCCESS: "take this pose", AGAIN: "drop the last one", PARK: "finish"}
MOTION = {RESUME: "enable motion", STOP: "stop"}


class Person:
    """Presses of keys and buttons, and the device if the person leads with one.

    Args:
        cell: The arm; the stop key holds it at once, on the thread that reads the key.
        leader: Moves the arm by the device; None = the person guides the arm by hand, and no command is sent.
        keys: Key or button of each function, for the prompt.
    """

    def __init__(self, cell: Cell, leader: Leader | None, keys: Mapping[str, str]) -> None:
        self.leader, self._cell, self._keys = leader, cell, keys
        self._presses: deque[str] = deque()

    def press(self, name: str) -> None:
        """Take the function of a pressed key, from any thread."""
        if name == STOP and self.leader is not None:
            self._cell.stop(StopReason.PERSON_STOP)
        self._presses.append(name)

    def pop(self) -> list[str]:
        """Return the presses since the last call."""
        return [self._presses.popleft() for _ in range(len(self._presses))]

    def prompt(self) -> str:
        """Return the keys and their functions as one line."""
        meanings = MEANINGS | (MOTION if self.leader is not None else {})
        return ", ".join(f"{self._keys[name]} = {text}" for name, text in meanings.items() if name in self._keys)


@contextmanager
def person_at(settings: Settings, cell: Cell, by_hand: bool) -> Iterator[Person]:
    """Connect the person's device and keys.

    Args:
        settings: Settings with the device and the keys of the terminal.
        cell: The arm, open.
        by_hand: True if the person guides the arm itself; the robot is only read, and keys come from the terminal.

    Raises:
        ConfigError: No person holds the device.
        DeviceError: The device is missing.
        CalibrationError: There is no terminal for the keys.
    """
    config = settings.composed["device"]
    device = leader = None
    person: Person
    if not by_hand:
        if not held_by_person(config):
            raise ConfigError(
                f"device: expected one that a person holds, found {input_name(config)}; give device=spacemouse, "
                "gamepad or keyboard, or --by-hand for an arm that is guided by hand, or --from FILE"
            )
        device = make_device(config)
        device.listen(lambda name: person.press(name))
        operator = make_person(config, 6, device)
        limits = cell.limits
        steps = limits.max_tcp_speed_m_s * cell.period_s, limits.max_tcp_angular_speed_rad_s * cell.period_s
        leader = Leader(cell, operator, *steps)
    has_own_keys = not by_hand and input_name(config) == KEYBOARD
    own, terminal = settings.actor.person_keys, None
    keys: Mapping[str, str] = config["buttons"] if has_own_keys else {} if own is None else own.keys
    person = Person(cell, leader, keys)
    try:
        if own is not None and not has_own_keys:
            terminal = PersonKeys(own, person.press)
            if not terminal.start() and by_hand:
                raise CalibrationError(
                    "--by-hand: expected a terminal for the keys that take a pose, found none; start it in a terminal, "
                    "or give --from FILE"
                )
        yield person
    finally:
        if terminal is not None:
            terminal.close()
        if device is not None:
            device.close()


def take_poses(cell: Cell, person: Person, note: Callable[[Array], None] = lambda poses: None) -> tuple[Array, Array]:
    """Let the person take poses until the finish key; return them and the pose at the end.

    A pose is taken only at rest. After a stop the arm holds until the person enables motion again.

    Args:
        cell: The arm, open.
        person: The person.
        note: Called with all poses after each change.

    Returns:
        The poses, base frame, shape (n, 7), and the last one, shape (7,); [m], xyzw.
    """
    poses: list[Array] = []
    enabled = False
    say(person.prompt())
    while True:
        for name in person.pop():
            if name == PARK:
                return np.array(poses).reshape(-1, 7), cell.pose
            if name == RESUME and person.leader is not None and not enabled:
                enabled = _enable(cell, person.leader)
            elif name == STOP and person.leader is not None:
                enabled = False
                say("stopped: the arm holds until motion is enabled again")
            elif name == AGAIN and poses:
                poses.pop()
                say(f"dropped pose {len(poses) + 1}")
                note(np.array(poses).reshape(-1, 7))
            elif name == SUCCESS:
                _take(cell, poses)
                note(np.array(poses).reshape(-1, 7))
        if person.leader is None or not enabled:
            cell.wait(cell.period_s)
            continue
        try:
            person.leader.step()
        except CellStopError:
            enabled = False
            say(f"stopped ({cell.stop_text}): the arm holds until motion is enabled again")


def _enable(cell: Cell, leader: Leader) -> bool:
    """Enable motion, and return whether it is enabled."""
    try:
        cell.resume()
    except CellStopError as error:
        say(str(error))
        return False
    leader.begin()
    say("motion enabled")
    return True


def _take(cell: Cell, poses: list[Array]) -> None:
    if not cell.is_at_rest:
        say("not taken: the arm still moves; let it come to rest")
        return
    poses.append(cell.pose.copy())
    position = " ".join(f"{value:+.3f}" for value in cell.pose[:3])
    say(f"pose {len(poses)}: {position} m")
