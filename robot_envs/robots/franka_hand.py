"""The Franka Hand over FCI, in a thread of its own, because its commands return only when the fingers have stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.robots.franka_link import described
from steadyhand.robot_envs.robots.franka_settings import HandConfig
from steadyhand.robot_envs.safety.gripper_limits import GripperStream
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger

if TYPE_CHECKING:
    import franky

__all__ = ["FrankaHand"]

logger = get_logger("robot")

_NS = 1_000_000_000
_PERIOD_NS = _NS // 20  # of the state; the hand reports at about this rate
_STOP_S = 5.0  # limit of the thread's end: the longest command


class FrankaHand:
    """The hand: `ask` and the properties never wait.

    A command that comes while the fingers move is executed after they have stopped.

    Args:
        host: Name or address of the arm's control box.
        config: Settings of the hand.
        clock: The clock of the readings.
    """

    def __init__(self, host: str, config: HandConfig, clock: Clock) -> None:
        self._host, self._config, self._clock = host, config, clock
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._width_m, self._stamp_ns = 0.0, 0

    def open(self) -> None:
        """Connect to the hand, and begin to read it. It moves only when asked.

        Raises:
            RobotError: There is no hand.
        """
        import franky

        self.close()
        try:
            gripper = franky.Gripper(self._host)
            state = gripper.state
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            raise RobotError(
                f"robot.hand: expected a Franka Hand at {self._host}, found {described(error)}; robot.hand=null if the "
                "arm has none"
            ) from None
        config = self._config
        self._stream = GripperStream(0.0, min(config.open_m, state.max_width or config.open_m), config.limits, False)
        self._width_m, self._stamp_ns = float(state.width), self._clock.now_ns()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(gripper,), name="franka hand", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the connection; the fingers finish a running command."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)
        self._thread = None

    @property
    def width_m(self) -> float:
        """Newest measured opening between the fingers [m]."""
        return self._width_m

    @property
    def is_silent(self) -> bool:
        """True if the newest state is too old."""
        return self._clock.now_ns() - self._stamp_ns > self._config.max_age_s * _NS

    def ask(self, opening_m: float) -> None:
        """Set the wanted opening [m]."""
        with self._lock:
            self._stream.ask(opening_m)

    def _run(self, gripper: franky.Gripper) -> None:
        running: franky.BoolFuture | None = None
        while not self._ends.is_set():
            now_ns = self._clock.now_ns()
            try:
                state = gripper.state
            except Exception as error:  # franky and Poco raise a dozen types without a common base
                logger.error("Franka Hand: %s", described(error))
                return
            self._width_m, self._stamp_ns = float(state.width), now_ns
            if running is not None and running.wait(0.0):
                self._finish(running, now_ns)
                running = None
            with self._lock:
                self._stream.measured(self._width_m)
                opening_m = self._stream.tick(now_ns) if running is None else None
            if opening_m is not None:
                running = self._start(gripper, opening_m)
            self._clock.sleep_until(now_ns + _PERIOD_NS)

    def _start(self, gripper: franky.Gripper, opening_m: float) -> franky.BoolFuture:
        """Begin to move: opening fingers go to a place, closing ones press with the force that is set."""
        speed_m_s = self._config.limits.max_speed_m_s
        if opening_m >= self._width_m:
            return gripper.move_async(opening_m, speed_m_s)
        return gripper.grasp_async(opening_m, speed_m_s, self._config.force_n, opening_m, self._config.open_m)

    def _finish(self, command: franky.BoolFuture, now_ns: int) -> None:
        try:
            failure = "" if command.get() else "not done"
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            failure = described(error)
        if failure:
            logger.warning("Franka Hand: %s; it is asked again", failure)
            with self._lock:
                self._stream.failed(now_ns)
