"""Training at one moment, for the people who watch it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LearnerStatus"]


@dataclass(frozen=True)
class LearnerStatus:
    """Training at one moment.

    Attributes:
        phase: One of waiting, pretraining, online and finished.
        steps: Gradient steps, those on the demonstrations included.
        updates: Gradient updates online, those that utd_ratio counts.
        transitions: Control steps of online training received.
        demo_starts: Steps of demonstrations and corrections to learn from.
        utd_ratio: Measured: updates / transitions.
        policy_version: Number of published policies.
        metrics: The newest row of scalars: losses, Q, success.
        prior_starts: Steps of other runs' online data to learn from.
        actors: Control steps of online training received, by actor.
        quarantined: Records that are damaged, lost or unfit, and are not trained on.
    """

    phase: str = "waiting"
    steps: int = 0
    updates: int = 0
    transitions: int = 0
    demo_starts: int = 0
    utd_ratio: float = 0.0
    policy_version: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    prior_starts: int = 0
    actors: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
