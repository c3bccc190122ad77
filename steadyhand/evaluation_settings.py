"""Settings of the protocol of an evaluation; the numbers are in configs/evaluation/."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.runtime.ranges import expect, expect_at_least

__all__ = ["ComparisonConfig", "EvaluationConfig"]


@dataclass(frozen=True)
class ComparisonConfig:
    """Settings of the sequential comparison of two policies."""

    alpha: float  # largest probability of a verdict where the policies are equal
    max_pairs: int  # pairs of episodes after which the comparison ends without a verdict

    def __post_init__(self) -> None:
        expect(0.0 < self.alpha < 0.5, "alpha", "a number above 0 and below 0.5", self.alpha)
        expect_at_least(self, 1, "max_pairs")


@dataclass(frozen=True)
class EvaluationConfig:
    """Protocol of an evaluation."""

    policy: str  # newest | start | bc: those of the run; or a policy file
    starts: str | None  # a YAML file that lists the starts; null = drawn from the seed
    repeats: int  # episodes of each listed start
    ask_label: bool  # ask for the operator's label after every episode
    comparison: ComparisonConfig

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "repeats")
