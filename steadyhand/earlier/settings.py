"""Settings of a start from an earlier run; the values are in configs/earlier/."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.runtime.ranges import expect, expect_within

__all__ = ["CLASSIFIER", "DEMOS", "PARTS", "PRACTICE", "WEIGHTS", "EarlierConfig"]

WEIGHTS, DEMOS, PRACTICE, CLASSIFIER = "weights", "demos", "practice", "classifier"
PARTS = (WEIGHTS, DEMOS, PRACTICE, CLASSIFIER)


@dataclass(frozen=True)
class EarlierConfig:
    """Settings of a start from an earlier run.

    Attributes:
        run: Folder of the run, its name below `run_root`, or the folder of one of its checkpoints; None = no run.
        take: Parts of it: `weights` (policy with its encoder and input scaling, and critics), `demos`, `practice`
            (its practice logs), `classifier` (its success classifier with the rule of confirmation).
        demo_share: Share of its demonstrations and corrections in a batch's rows of demonstrations, 0..1.
    """

    run: str | None
    take: tuple[str, ...]
    demo_share: float

    def __post_init__(self) -> None:
        known = ", ".join(PARTS)
        sound = bool(self.take) and set(self.take) <= set(PARTS) and len(set(self.take)) == len(self.take)
        expect(sound, "take", f"some of {known}, each once", list(self.take))
        expect_within(self, 0.0, 1.0, "demo_share")

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts to take; () without a run."""
        return () if self.run is None else self.take
