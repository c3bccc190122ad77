"""Settings of the demo; the numbers are in configs/demo/."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.learner.config import FitConfig
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["DemoConfig", "DialogueConfig"]


@dataclass(frozen=True)
class DialogueConfig:
    """Settings of a recording with a person: every attempt begins with the person's enable."""

    countdown_s: int  # whole seconds between the enable and the motion to the start; 0 = none
    bell: bool  # the terminal's bell at the begin and the end of every attempt

    def __post_init__(self) -> None:
        expect_within(self, 0, 60, "countdown_s")


@dataclass(frozen=True)
class DemoConfig:
    """Settings from the demonstrations to the evaluation of a policy."""

    # Demonstrations.
    demos: int  # successful ones
    max_attempts: int  # episodes tried for them at most
    keep_failures: bool  # keep attempts without success in a set of their own
    dialogue: DialogueConfig | None  # with a person; null = attempts follow each other without a pause
    # Evaluation.
    eval_episodes: int  # fresh episodes, unassisted
    required_success: float  # share of them that the demo must reach, 0..1
    film_episodes: int  # first evaluation episodes that are filmed; 0 = none
    film_views: dict[str, dict[str, int]]  # cameras beside the task's own, as in configs/camera; `side` films
    # The behaviour-cloning baseline; its algorithm is the key `bc`, which `TrainingSettings.cloning` holds.
    fit: FitConfig
    validation_episodes: int  # other episodes, on which the best candidate is chosen
    # The two processes.
    stall_s: float  # time without a sign of progress after which they count as hung
    grace_s: float  # time that a process gets to end by itself

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "demos", "eval_episodes", "validation_episodes")
        attempts = self.max_attempts
        expect(attempts >= self.demos, "max_attempts", f"at least demos = {self.demos}", attempts)
        expect_within(self, 0.0, 1.0, "required_success")
        expect_at_least(self, 0, "film_episodes")
        expect_above(self, 0.0, "stall_s", "grace_s")
        for name, view in self.film_views.items():
            for key, value in view.items():
                expect(key in ("height", "width"), f"film_views.{name}", "the keys height and width", key)
                expect(value >= 1, f"film_views.{name}.{key}", "at least 1 pixel", value)
