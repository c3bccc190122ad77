"""Arguments of a learner: its settings, and the demonstrations to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.config import LearnerConfig
from steadyhand.policies.config import PolicyConfig
from steadyhand.runtime.component import Component
from steadyhand.transport.config import TransportConfig

__all__ = ["Demonstrations", "LearnerSettings"]


@dataclass(frozen=True)
class LearnerSettings:
    """Settings of a learner.

    Attributes:
        process: Pace, cold start, periods.
        algo: The algorithm and its settings.
        policy: The network.
        transport: The link.
        seed: Seed of all random draws of the learner.
    """

    process: LearnerConfig
    algo: Component[Algorithm[Any]]
    policy: PolicyConfig
    transport: TransportConfig
    seed: int


@dataclass(frozen=True)
class Demonstrations:
    """Demo sets to learn from.

    Attributes:
        folders: Folders of the sets.
        action_gains: Factors (A,) by session id of a set, which convert its actions to the present action scales.
    """

    folders: Sequence[Path] = ()
    action_gains: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
