"""The quality of one demonstration in numbers: its length, still time, saturated entries and largest force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.record import Kind

__all__ = ["DemoQuality", "demo_quality"]

STILL = 0.05  # of a normalised action: every motion entry below it is a step at rest
FULL = 0.99  # of a normalised action: from here on the person wanted more than the scale allows
MANY = 0.25  # share of saturated steps that is worth a word
NAMES = ("x", "y", "z", "about x", "about y", "about z")


@dataclass(frozen=True)
class DemoQuality:
    """The quality of one attempt.

    Attributes:
        steps: Number of steps.
        median_steps: Median number of steps of the demonstrations before it; None without any.
        still_share: Share of the steps in which no motion was commanded; None where no entry is a motion.
        saturated: Share of the steps at full deflection, by the name of the entry; those above a quarter alone.
        peak_force_n: Largest measured force; None where the environment reports none.
    """

    steps: int
    median_steps: float | None
    still_share: float | None
    saturated: dict[str, float]
    peak_force_n: float | None

    def line(self) -> str:
        """Return the quality as one line."""
        parts = ["1 step" if self.steps == 1 else f"{self.steps} steps"]
        if self.median_steps:
            parts[0] += f", {self.steps / self.median_steps:.1f} x the median"
        if self.still_share is not None:
            parts.append(f"still {self.still_share:.0%}")
        parts += [f"{name} at full deflection {share:.0%}" for name, share in self.saturated.items()]
        if self.peak_force_n is not None:
            parts.append(f"peak {self.peak_force_n:.0f} N")
        return "; ".join(parts)


def demo_quality(
    records: Sequence[NDArray[np.void]],
    ramped: NDArray[np.bool_],
    earlier_steps: Sequence[int],
    peak_force_n: float | None,
) -> DemoQuality | None:
    """Return the quality of an attempt; None without steps.

    Args:
        records: The attempt's records.
        ramped: True for the motion entries of an action. Shape (A,).
        earlier_steps: Numbers of steps of the demonstrations before it.
        peak_force_n: Largest measured force; None where there is none.
    """
    rows = [record["action"] for record in records if int(record["kind"]) == Kind.STEP]
    if not rows:
        return None
    sizes: NDArray[Any] = np.abs(np.array(rows, np.float64))
    moves = sizes[:, ramped]
    entries = np.flatnonzero(ramped)
    full = (moves >= FULL).mean(axis=0)
    saturated = {_name(int(entry)): float(share) for entry, share in zip(entries, full, strict=True) if share > MANY}
    return DemoQuality(
        steps=len(rows),
        median_steps=float(median(earlier_steps)) if earlier_steps else None,
        still_share=float((moves < STILL).all(axis=1).mean()) if moves.size else None,
        saturated=saturated,
        peak_force_n=peak_force_n,
    )


def _name(entry: int) -> str:
    return NAMES[entry] if entry < len(NAMES) else f"entry {entry}"
