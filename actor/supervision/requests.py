"""A person's buttons and keys as requests: enable motion, stop, park, and verdicts on the episode."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.events import Events, RequestRefused
from steadyhand.actor.supervision.motion_enable import MotionEnable, Verdict
from steadyhand.robot_envs.devices.mapping import AGAIN, FAILURE, PARK, RESUME, STOP, SUCCESS
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.logging import get_logger

__all__ = ["Requests"]

VERDICTS: dict[str, Verdict] = {SUCCESS: "success", FAILURE: "failure", AGAIN: "reset"}

logger = get_logger("actor.requests")


class Requests:
    """Executes the request of a pressed button, on the thread that read it. Never raises.

    Args:
        motion: Takes the requests.
        stop: Holds the robot and latches the reason, from any thread.
        mark: Takes success and failure, which then end no episode; None = they do.
        events: Gets the refusal of an enable.
    """

    def __init__(
        self,
        motion: MotionEnable,
        stop: Callable[[StopReason], None],
        mark: Callable[[Verdict], None] | None = None,
        events: Events | None = None,
    ) -> None:
        self._motion, self._stop, self._mark = motion, stop, mark
        self._events = events or Events()

    def press_button(self, name: str) -> None:
        """Take a button of the person's device; its park button is the operator's own request."""
        if name != PARK:
            self.press(name)

    def press(self, name: str) -> None:
        """Take a button by the name of its meaning; one without a meaning here is ignored."""
        motion = self._motion
        try:
            if name == STOP:
                self._stop(StopReason.PERSON_STOP)
            elif name == RESUME:
                if objection := motion.enable(motion.disables):
                    logger.warning("not enabled: %s", objection)
                    self._events.emit(RequestRefused(name, objection))
            elif name == PARK or name in VERDICTS:
                if not motion.enabled:
                    logger.info("%s: no episode is running", name)
                elif name == PARK:
                    motion.park()
                elif self._mark is not None and name != AGAIN:
                    self._mark(VERDICTS[name])
                else:
                    motion.judge(VERDICTS[name])
        except Exception as error:  # the thread reads the stop key as well
            logger.error("%s: failed (%s: %s)", name, type(error).__name__, error)
