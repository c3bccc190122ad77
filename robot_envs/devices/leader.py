"""A leader arm in a person's hand, such as a GELLO: its tool's motion moves the follower's tool.

The leader's joints are read by a source. Forward kinematics with the parameters of the follower give the pose of the
follower's tool for these joints. Only the motion of that pose since the leader was coupled is used, in the tool frame,
so the two arms need not stand alike, and coupling cannot make the follower jump.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.chords import Chords
from steadyhand.robot_envs.devices.device import (
    Device,
    DeviceError,
    DeviceSettings,
    HumanInput,
    check_times,
    no_reading,
)
from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.joint_source import JointReading, JointSource
from steadyhand.robot_envs.devices.leader_motion import LeaderMotion
from steadyhand.robot_envs.devices.mapping import REQUESTS
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.robot_envs.frames import Array, length, pose_relative, pose_to_vector
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.component import find_component
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_length

__all__ = ["Leader", "LeaderConfig"]

ENGAGE = "engage"
SQUEEZED, RELEASED = 0.6, 0.4  # shares of the trigger at which it closes and opens
OPEN, CLOSE, NONE = 1.0, -1.0, 0.0
KEPT_EVENTS = 64


@dataclass(frozen=True)
class LeaderConfig(DeviceSettings):
    """The leader's source, its kinematics, and the meaning of its buttons.

    Attributes:
        source: The source of its joints, a group with `entry_point`.
        dh: Denavit-Hartenberg parameters of the follower, as in `DhChain`. Shape (n, 3).
        tool: Pose of the tool behind the last joint, as in `DhChain`. Shape (6,); [m], [rad].
        step_m: Motion of the follower's tool in one control step at full deflection, as the task has it.
        step_rad: The same for its rotation.
        period_s: Control period.
        scale: Translation of the follower per translation of the leader's tool, as the kinematics have it.
        lag_steps: Steps that the follower may be behind the leader; motion beyond it is dropped.
        still_m: Motion of the leader's tool within which it counts as still.
        still_rad: The same for its rotation.
        still_s: Time without motion after which the leader is at rest.
        read_s: Time between two readings.
        press_s: Time for which a released trigger counts as a pressed open button.
        retry_s: Time between two attempts to open a lost leader.
        neutral_s: Time at rest after which the leader counts as released.
        buttons: The source's buttons that have to be down together, by their function: engage, resume, stop, park,
            success, failure, again; () = none. With engage the leader is coupled while that is down, else while it is
            moved.
    """

    source: dict[str, Any]
    dh: tuple[tuple[float, float, float], ...]
    tool: tuple[float, ...]
    step_m: float
    step_rad: float
    period_s: float
    scale: float
    lag_steps: float
    still_m: float
    still_rad: float
    still_s: float
    read_s: float
    press_s: float
    retry_s: float
    neutral_s: float
    buttons: dict[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "period_s", "still_s", "read_s", "press_s", "retry_s", "neutral_s")
        expect_above(self, 0.0, "step_m", "step_rad", "scale", "still_m", "still_rad")
        expect_at_least(self, 1.0, "lag_steps")
        expect_length(self, 6, "tool")
        expect(len(self.dh) > 0, "dh", "a row for each joint", "none")
        for name in self.buttons:
            known = (ENGAGE, *REQUESTS)
            expect(name in known, "buttons", f"one of {', '.join(known)}", name)
        find_component(self.source, JointSource, "device.source")  # type: ignore[type-abstract]


class LeaderState(NamedTuple):
    """Newest state of the leader, replaced as a whole by its reader."""

    pose: Array | None  # of the tool, (7,); None while the leader is lost
    is_squeezed: bool
    held: frozenset[str]  # functions of the buttons that are down
    rested: Array | None  # pose of the tool before it last began to move, (7,)
    moved_ns: int  # last time at which it moved
    stamp_ns: int  # of the newest reading
    losses: int


class Leader(Device):
    """A leader arm for one follower.

    Args:
        config: Source, kinematics and buttons.
        clock: Monotonic clock.
    """

    settings_type = LeaderConfig
    name = "leader"
    address = ("source",)
    remedy = "plug the leader in and switch its power on, see docs/devices.md"

    def __init__(self, config: LeaderConfig, clock: Clock | None = None) -> None:
        self._config, self._clock = config, clock or MonotonicClock()
        self._chain = DhChain(config.dh, config.tool)
        self._motion = LeaderMotion(config.step_m, config.step_rad, config.scale, config.lag_steps)
        self._chords = Chords({name: numbers for name, numbers in config.buttons.items() if numbers})
        self._events = deque[str](maxlen=KEPT_EVENTS)
        self._has_engage = bool(config.buttons.get(ENGAGE))
        self._still_ns = round(config.still_s * 1e9)
        self._down: frozenset[int] | None = None  # None before the first reading
        self._still: Array | None = None  # pose that it has not left
        self._heard: Callable[[str], None] = lambda name: None
        self._state = LeaderState(None, False, frozenset(), None, 0, 0, 0)
        self._reader = Reader(self.name, self._open, self._lose, config.retry_s)
        # The control loop's own view: the newest poll, the newest time in control, and of a squeezed trigger.
        self._polled_ns = self._busy_ns = self._clock.now_ns()
        self._squeezed_ns: int | None = None
        self._was_coupled = False
        self._losses = 0

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with every button that is pressed, on the reader's thread."""
        self._heard = heard

    def follow(self, tool_poses: NDArray[np.float64]) -> None:
        """Take in where the follower's tool is. Shape (1, 7)."""
        self._motion.follow(tool_poses[0])

    def connect(self) -> None:
        """Open the leader. Raises DeviceError when it is missing."""
        self._reader.start()
        self._losses = self._state.losses
        self._restart()

    def poll(self) -> HumanInput:
        """Return the newest reading. Raises DeviceError before ``connect``.

        The twist is for one control period; a poll that comes sooner counts for its share of it.
        """
        if not self._reader.running:
            raise DeviceError(f"{self.name}: expected a connected device, found none; call connect first")
        config, state, now_ns = self._config, self._state, self._clock.now_ns()
        events = tuple(self._events.popleft() for _ in range(len(self._events)))
        lost, self._losses = state.losses != self._losses, state.losses
        # A leader reports at rest too, so a silent one is lost.
        if lost or state.pose is None or now_ns - state.stamp_ns > config.max_age_s * 1e9:
            self._restart()
            return no_reading(events)
        coupled = ENGAGE in state.held if self._has_engage else now_ns - state.moved_ns < self._still_ns
        gripper = self._gripper(state, now_ns) if coupled or not self._has_engage else self._let_go()
        twist = self._twist(state.pose, state.rested, coupled, now_ns)
        engaged = coupled or gripper != NONE
        if engaged or state.is_squeezed or ENGAGE in state.held:
            self._busy_ns = now_ns
        return HumanInput(
            engaged=np.array([engaged]),
            twist=twist[None],
            gripper=np.array([gripper]),
            events=events,
            age_s=max(now_ns - state.stamp_ns, 0) / 1e9 if engaged else 0.0,
            neutral=now_ns - self._busy_ns >= config.neutral_s * 1e9,
        )

    def close(self) -> None:
        """Close the leader."""
        self._reader.stop()

    def _twist(self, pose: Array, rested: Array | None, coupled: bool, now_ns: int) -> NDArray[np.float64]:
        """Return the twist (6,) of this step, and couple or uncouple the leader."""
        since = (now_ns - self._polled_ns) / (self._config.period_s * 1e9)
        was_coupled, self._was_coupled, self._polled_ns = self._was_coupled, coupled, now_ns
        if not coupled or since > self._config.lag_steps:  # after a pause of the loop, the motion meanwhile is dropped
            self._motion.release()
        elif not (was_coupled or self._has_engage or rested is None):
            self._motion.couple(rested)  # it is coupled by its motion since then
        return self._motion.twist(pose, min(since, 1.0)) if coupled else np.zeros(6)

    def _gripper(self, state: LeaderState, now_ns: int) -> float:
        """Return the gripper entry of a leader in control: squeezing closes, and letting go of the trigger opens."""
        if state.is_squeezed:
            self._squeezed_ns = now_ns
            return CLOSE
        opens = self._squeezed_ns is not None and now_ns - self._squeezed_ns < self._config.press_s * 1e9
        return OPEN if opens else NONE

    def _let_go(self) -> float:
        """Return the gripper entry of a leader without control; a trigger that is released then opens nothing."""
        self._squeezed_ns = None
        return NONE

    def _restart(self) -> None:
        """Forget what the control loop was told: the leader is uncoupled, and was not at rest yet."""
        self._motion.release()
        self._squeezed_ns, self._was_coupled = None, False
        self._busy_ns = self._polled_ns = self._clock.now_ns()

    def _open(self) -> _LeaderLink:
        found = find_component(self._config.source, JointSource, "device.source")  # type: ignore[type-abstract]
        source: JointSource = found.make()
        try:
            first, expected = source.open(), self._chain.n_joints
            if len(first.joints_rad) != expected:
                raise OSError(
                    f"expected {expected} joints, as device.dh has, found {len(first.joints_rad)} from {source.name}; "
                    "correct device.source or device.dh"
                )
            self._still, self._down = None, None
            self._take(first)
        except BaseException:
            source.close()
            raise
        return _LeaderLink(source, self._take, self._clock, self._config.read_s)

    def _take(self, reading: JointReading) -> None:
        """Take in a reading, on the reader's thread. A joint that is not a number loses the leader."""
        if not np.isfinite(reading.joints_rad).all():
            raise OSError(f"expected finite joint positions, found {reading.joints_rad.tolist()}")
        state, now_ns = self._state, self._clock.now_ns()
        pose = self._chain.pose(reading.joints_rad)
        rested, moved_ns = state.rested, state.moved_ns
        if self._still is None:
            self._still = rested = pose
            moved_ns = now_ns - self._still_ns
        elif self._has_left(self._still, pose):
            rested = self._still if now_ns - moved_ns >= self._still_ns else rested
            self._still, moved_ns = pose, now_ns
        squeezed = reading.squeezed
        is_squeezed = squeezed is not None and squeezed > (RELEASED if state.is_squeezed else SQUEEZED)
        self._press(reading.down)
        self._state = LeaderState(pose, is_squeezed, self._chords.held, rested, moved_ns, now_ns, state.losses)

    def _has_left(self, still: Array, pose: Array) -> bool:
        moved = pose_to_vector(pose_relative(still, pose))
        return bool(length(moved[:3]) > self._config.still_m or length(moved[3:]) > self._config.still_rad)

    def _press(self, down: frozenset[int]) -> None:
        before, self._down = self._down, down
        # A button that is down at first is down, but was not pressed.
        for number in sorted(down - (before or frozenset())):
            begun = self._chords.press(number)
            for name in begun if before is not None else ():
                if name != ENGAGE:
                    self._events.append(name)
                    self._heard(name)
        for number in sorted((before or frozenset()) - down):
            self._chords.release(number)

    def _lose(self) -> None:
        if self._state.pose is not None:
            losses = self._state.losses + 1
            self._chords.clear()
            self._state = LeaderState(None, False, frozenset(), None, 0, self._clock.now_ns(), losses)


class _LeaderLink:
    """An open source, read at a steady pace."""

    def __init__(self, source: JointSource, take: Callable[[JointReading], None], clock: Clock, read_s: float) -> None:
        self._source, self._take, self._clock = source, take, clock
        self._read_ns = round(read_s * 1e9)
        self._next_ns = clock.now_ns()

    def serve(self, timeout_s: float) -> None:
        """Read once, at the next time to read. Raises OSError when the leader is lost."""
        now_ns = self._clock.now_ns()
        self._clock.sleep_until(min(self._next_ns, now_ns + round(timeout_s * 1e9)))
        if self._clock.now_ns() < self._next_ns:
            return
        self._next_ns = max(self._next_ns + self._read_ns, now_ns)
        reading = self._source.read()
        if reading is not None:
            self._take(reading)

    def close(self) -> None:
        """Close the source."""
        self._source.close()
