"""The command watchdog: the last check before the controller, in a process beside the actor; without ROS.

It receives commands at the control rate and returns targets at the controller's rate. If commands stop or are invalid,
it holds and reports the reason. It is not a safety function in the sense of ISO 10218.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.command_stream import LATCHING, CommandStream, HoldReason, Measured
from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.robot_envs.safety.plausibility import Plausibility, PlausibleMotion
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings

_NS = 1_000_000_000
# Nothing is published: the controller does not follow commands, or another node publishes to it.
_SILENT = frozenset({HoldReason.ROBOT_FAULT, HoldReason.SECOND_PUBLISHER})
_SETTLED_NS = _NS // 2  # an arm that is still behind its target after this time is in contact
_PRESSES = 0.003  # m or rad; larger than a steady error
_SHORTEST, _LONGEST = 0.5, 1.2  # ticks that one tick may count as
_SILENCES = frozenset({HoldReason.STATE_SILENT, HoldReason.IMPLAUSIBLE_STATE, HoldReason.FAULT_SOURCE_SILENT})


class Watchdog:
    """Watchdog that forwards the commands of one arm, or holds. All times are local monotonic receive times [ns].

    Args:
        stream: The kind of commands.
        settings: Settings of the watchdog.
        plausible: The fastest plausible motion of a measured pose.
        fault: Freshness of the robot's report of its own health; None = the robot has none.
    """

    def __init__(
        self, stream: CommandStream, settings: WatchdogSettings, plausible: PlausibleMotion, fault: Freshness | None
    ) -> None:
        self.counts: Counter[HoldReason] = Counter()
        self._stream = stream
        self._period_ns = round(settings.command_period_s * _NS)
        self._tick_s = 1.0 / settings.controller_rate_hz
        self._ticked_ns: int | None = None
        self._plausible = Plausibility(plausible)
        self._command = Freshness(settings.command_timeout_s)
        self._state = Freshness(settings.state_timeout_s)
        self._fault = fault
        self._is_ok = True
        self._is_alone = True
        self._latched: HoldReason | None = None
        self._reason: HoldReason | None = HoldReason.NOT_HEARD_YET
        self._measured: Measured | None = None
        self._newest: tuple[Array, Array, int] | None = None
        self._start: Array | None = None
        self._goal: Array | None = None
        self._target: Array | None = None
        self._wanted: Array | None = None
        self._held: Array | None = None
        self._holds_since_ns = 0
        self._has_settled = False

    @property
    def reason(self) -> HoldReason | None:
        """Reason of the hold; None while commands are forwarded."""
        return self._reason

    def measured(self, tcp_pose: Array, joints: Array, now_ns: int) -> None:
        """Store a measured state; shapes (7,) and (n_joints,). An implausible reading is ignored."""
        self._newest = (tcp_pose, joints, now_ns)
        if self._plausible.accepts(tcp_pose, now_ns) and np.isfinite(joints).all():
            self._measured = Measured(tcp_pose, joints)
            self._state.heard(now_ns)

    @property
    def implausible(self) -> str:
        """Fault of the newest measured pose; "" if it is plausible."""
        return self._plausible.fault

    def robot_ok(self, is_ok: bool, now_ns: int) -> None:
        """Store the robot's report of its own health."""
        if self._fault is not None:
            self._fault.heard(now_ns)
            self._is_ok = is_ok
        self._check(now_ns)

    def alone(self, is_alone: bool, now_ns: int) -> None:
        """Store whether this watchdog is the controller's only publisher."""
        self._is_alone = is_alone
        self._check(now_ns)

    def command(self, command: Array, now_ns: int) -> None:
        """Accept a command in the form of the stream, to follow from the next tick on; an invalid one holds the arm."""
        if self._check(now_ns) is not None or self._measured is None:
            return
        objection = self._objection(command)
        if objection is not None:
            self._latch(objection)
            return
        if self._target is None:
            self._target = self._stream.begin(self._measured)
        self._start, self._goal = self._target, command
        # The interpolation continues from its present point, unless the command reverses from there.
        if self._wanted is not None and self._stream.away(self._wanted, command) < self._stream.away(
            self._target, command
        ):
            self._start = self._wanted
        self._command.heard(now_ns)

    def refuse(self, reason: HoldReason) -> None:
        """Latch a hold for a command that cannot be read, or that is in another frame than the controller's."""
        self._latch(reason)

    def gripper(self, width_m: float, now_ns: int) -> float | None:
        """Return the gripper's command if it may be forwarded, else None."""
        if self._check(now_ns) is not None:
            return None
        if not np.isfinite(width_m):
            self._latch(HoldReason.NON_FINITE_COMMAND)
            return None
        return width_m

    def tick(self, now_ns: int) -> Array | None:
        """Return the target to publish now, in the form of the stream; None = publish nothing."""
        reason, period_s = self._check(now_ns), self._elapsed_s(now_ns)
        if reason is None and self._command.is_fresh(now_ns):
            assert self._start is not None
            assert self._goal is not None
            assert self._measured is not None
            age = self._command.age_ns(now_ns) or 0
            share = min(1.0, age / self._period_ns)
            self._wanted = self._stream.between(self._start, self._goal, share)
            reason = self._objection_on_the_way()
            if reason is None:
                self._reason, self._held = None, None
                self._target = self._stream.step(self._wanted, self._measured, period_s)
                return self._target
            self._latch(reason)
        return self._hold(reason or HoldReason.NO_COMMANDS, now_ns, period_s)

    def _elapsed_s(self, now_ns: int) -> float:
        """Return the time since the last tick [s], bounded so that the target does not catch up after a stall."""
        last, self._ticked_ns = self._ticked_ns, now_ns
        elapsed = self._tick_s if last is None else (now_ns - last) / _NS
        return min(max(elapsed, _SHORTEST * self._tick_s), _LONGEST * self._tick_s)

    def rearm(self, now_ns: int) -> HoldReason | None:
        """Allow motion again, on the operator's request: forget the latched reason and all earlier commands.

        Returns:
            The reason that still holds the arm; None if the next command will be followed.
        """
        self._latched = None
        self._command.forget()
        self._goal = self._wanted = self._target = self._held = None
        self._plausible.forget()
        if self._newest is not None:
            self.measured(*self._newest)  # accept the rejected pose: the operator has checked the arm
            self._plausible.forget()
        self._reason = HoldReason.NO_COMMANDS
        return self._check(now_ns)

    def _check(self, now_ns: int) -> HoldReason | None:
        """Latch the robot's present fault; return the reason to follow no commands, None if there is none."""
        if self._latched is None:
            for reason in self._complaints(now_ns):
                if reason in _SILENCES and self._reason is not None:
                    return reason  # nothing was moving: the hold ends when the source reports again
                self._latch(reason)
                break
        if self._latched is not None:
            return self._latched
        heard = self._state.was_heard and (self._fault is None or self._fault.was_heard)
        return None if heard else HoldReason.NOT_HEARD_YET

    def _complaints(self, now_ns: int) -> list[HoldReason]:
        found = []
        if not self._is_ok:
            found.append(HoldReason.ROBOT_FAULT)
        if not self._is_alone:
            found.append(HoldReason.SECOND_PUBLISHER)
        if self._plausible.is_fault:
            found.append(HoldReason.IMPLAUSIBLE_STATE)
        if self._state.was_heard and not self._state.is_fresh(now_ns):
            found.append(HoldReason.STATE_SILENT)
        if self._fault is not None and self._fault.was_heard and not self._fault.is_fresh(now_ns):
            found.append(HoldReason.FAULT_SOURCE_SILENT)
        return found

    def _objection(self, command: Array) -> HoldReason | None:
        if command.shape != (self._stream.size,) or not np.isfinite(command).all():
            return HoldReason.NON_FINITE_COMMAND
        assert self._measured is not None
        return self._stream.objection(command, self._measured)

    def _objection_on_the_way(self) -> HoldReason | None:
        """Return the reason to reject the followed command now: a velocity may lead the arm out of the workspace."""
        assert self._goal is not None
        assert self._measured is not None
        return self._stream.objection(self._goal, self._measured)

    def _latch(self, reason: HoldReason) -> None:
        if self._latched is None and reason in LATCHING:
            self._latched = reason
            self.counts[reason] += 1
            self._command.forget()

    def _hold(self, reason: HoldReason, now_ns: int, period_s: float) -> Array | None:
        """Return the target of the stop, and of the rest after it. Before the first command nothing is published.

        The target brakes and then stays. It changes to the measured pose in two cases, once each time: the arm is
        behind the target when it should have come to rest, so that it presses against an object; or the arm was led
        away by hand. A push at rest changes nothing.
        """
        if self._reason is None:
            self._holds_since_ns, self._has_settled = now_ns, False
            self.counts[reason] += reason is HoldReason.NO_COMMANDS
        self._reason, self._wanted = reason, None
        if self._target is None or self._measured is None:
            return None
        if reason in _SILENT or not self._is_ok or not self._is_alone:
            self._target = self._held = None  # the arm may be anywhere when the controller follows commands again
            return None
        if self._state.is_fresh(now_ns):
            is_settled = now_ns - self._holds_since_ns > _SETTLED_NS
            is_due, self._has_settled = is_settled and not self._has_settled, is_settled
            presses = is_due and self._stream.lead(self._target, self._measured) > _PRESSES
            has_strayed = self._stream.has_strayed(self._target, self._measured)
            if has_strayed and self._stream.is_outside(self._measured):
                # The arm was led out of the workspace by hand: the target follows it, because no shaped target can.
                self._held = None
                self._target = self._stream.begin(self._measured)
                return self._target
            if presses or has_strayed:
                self._held = self._stream.rest(self._measured)
        if self._held is None:
            self._target = self._stream.brake(self._measured, period_s)
        else:
            self._target = self._stream.step(self._held, self._measured, period_s)
        return self._target
