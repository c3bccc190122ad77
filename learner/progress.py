"""The progress of training as the learner's actors see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from steadyhand.learner.train_loop import Phase, TrainLoop
from steadyhand.transport.wire import Status

__all__ = ["Progress"]


@dataclass(frozen=True)
class Progress:
    """Progress of training at one moment. The intake's thread reads it, so it is replaced as a whole.

    Attributes:
        updates: Gradient updates online.
        policy_version: Version of the newest published weights.
        phase: What the training loop does.
        transitions_allowed: Transitions that the learner is ready for, over all sessions; negative = any number.
        transitions: Transitions that it has, over all sessions.
        steps: Transitions that it has, by session.
    """

    updates: int = 0
    policy_version: int = 0
    phase: Phase = "waiting"
    transitions_allowed: int = 0
    transitions: int = 0
    steps: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, loop: TrainLoop) -> Progress:
        """Return the progress of a training loop now."""
        counters, steps = loop.counters, loop.steps()
        allowed, received = loop.transitions_allowed(), sum(steps.values())
        return cls(counters.updates, counters.policy_version, loop.phase, allowed, received, steps)

    def releases(self, before: Progress) -> bool:
        """Return whether an actor that waits may go on, or has to know of another phase, unlike `before`.

        A learner that is behind its actors lets none of them go on. It tells them of its progress with every
        acknowledgement, and need not do so after each of its updates: with many actors those are many messages.
        """
        return self.phase != before.phase or self.transitions_allowed > self.transitions

    def status(self, session_id: str) -> Status:
        """Return the status for one session, which may use all of what is allowed beyond the sessions' own."""
        allowed = self.transitions_allowed
        if allowed >= 0:
            allowed = self.steps.get(session_id, 0) + max(0, allowed - self.transitions)
        return Status(self.updates, self.policy_version, allowed, self.phase, transitions=self.transitions)
