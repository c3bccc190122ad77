"""The dialogue of a recording with a person: an enable and a countdown before every attempt, and a line after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from steadyhand.actor.events import Countdown, DemoCounted, EpisodeBegan, Events
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.config import DialogueConfig
from steadyhand.terminal import say

__all__ = ["RecordingLines", "recording_dialogue"]

BELL = "\a"


@contextmanager
def recording_dialogue(
    config: DialogueConfig | None, env: SupervisedEnv, motion: MotionEnable, events: Events
) -> Iterator[None]:
    """Wait for the person's enable before every attempt, and count down after it; None = no dialogue.

    Args:
        config: Settings of the dialogue.
        env: The environment of the recording.
        motion: The person's enable, as `env` has it.
        events: The events of the recording.
    """
    if config is None:
        yield
        return
    turns = _Turns(motion)
    env.count_down_for(config.countdown_s)
    events.subscribe(DemoCounted, turns.end)
    try:
        yield
    finally:
        events.unsubscribe(turns)
        env.count_down_for(0)


class RecordingLines:
    """Lines in the terminal on the countdown, the begin and the end of every attempt.

    Args:
        config: Settings of the dialogue; None = lines without a bell.
        events: The events of the recording. `events.unsubscribe` of this object ends the lines.
    """

    def __init__(self, config: DialogueConfig | None, events: Events) -> None:
        self._bell = BELL if config is not None and config.bell else ""
        events.subscribe(Countdown, self._on_countdown)
        events.subscribe(EpisodeBegan, self._on_begin)
        events.subscribe(DemoCounted, self._on_count)

    def _on_countdown(self, event: Countdown) -> None:
        if event.left_s:
            say(f"  {event.left_s} ...")

    def _on_begin(self, event: EpisodeBegan) -> None:
        say(f"  go{self._bell}")

    def _on_count(self, event: DemoCounted) -> None:
        say(f"  {event.successes} of {event.wanted}; {event.fate}: {event.quality}{self._bell}")


class _Turns:
    """Takes the enable back after each attempt: the workpieces have to be arranged."""

    def __init__(self, motion: MotionEnable) -> None:
        self._motion = motion

    def end(self, event: DemoCounted) -> None:
        """Wait for the person, unless there are enough demonstrations."""
        if event.successes < event.wanted:
            self._motion.disable(f"ready for demonstration {event.successes + 1} of {event.wanted}")
