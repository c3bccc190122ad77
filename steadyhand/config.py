"""Settings of the demo; the numbers are in configs/demo/."""

from __future__ import annotations

from dataclasses import dataclass

from learner.config import BcConfig

__all__ = ["DemoConfig"]


@dataclass(frozen=True)
class DemoConfig:
    """From demonstrations to a judged policy."""

    # Demonstrations.
    demos: int  # successful ones
    max_attempts: int  # episodes tried for them at most
    # Judging.
    eval_episodes: int  # fresh episodes with nobody helping
    required_success: float  # share of them that the demo must reach, 0..1
    film_episodes: int  # first evaluation episodes that are filmed; 0 = none
    film_views: dict[str, dict[str, int]]  # cameras beside the task's own, as in configs/camera; `side` films
    # The behaviour-cloning baseline.
    bc: BcConfig
    validation_episodes: int  # other episodes, on which the best candidate is chosen
    # The two processes.
    stall_s: float  # time without a sign of progress after which they count as hung
    grace_s: float  # time that a process gets to end by itself

    def __post_init__(self) -> None:
        for name in ("demos", "eval_episodes", "validation_episodes"):
            _check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        _check(self.max_attempts >= self.demos, "max_attempts", f"at least demos = {self.demos}", self.max_attempts)
        _check(0.0 <= self.required_success <= 1.0, "required_success", "within [0, 1]", self.required_success)
        _check(self.film_episodes >= 0, "film_episodes", "at least 0", self.film_episodes)
        _check(self.stall_s > 0, "stall_s", "above 0 s", self.stall_s)
        _check(self.grace_s > 0, "grace_s", "above 0 s", self.grace_s)


def _check(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise ValueError(f"{name}: expected {expected}, found {found!r}")
