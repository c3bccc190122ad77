"""Trajectory quality (TQ) and state-action coverage (SACo) of a data set.

Source: Schweighofer et al., "A Dataset Perspective on Offline Reinforcement Learning", arXiv 2111.04714. TQ is the mean
return, scaled by the returns of a reference; SACo is the number of different state-action pairs, relative to that of
a reference. The paper counts pairs of discrete spaces; here each number is sorted into bins first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Coverage", "coverage"]

BINS = 10  # of each number, over its range in the reference


@dataclass(frozen=True)
class Coverage:
    """The two measures.

    Attributes:
        tq: (mean return - lowest return of the reference) / (its highest - its lowest); NaN where these are equal.
        saco: Different pairs / different pairs of the reference; without a reference / steps.
        has_reference: Whether another set is the reference; otherwise the set itself is.
    """

    tq: float
    saco: float
    has_reference: bool


def coverage(
    returns: list[float], pairs: NDArray[np.float64], reference: tuple[list[float], NDArray[np.float64]] | None
) -> Coverage:
    """Return TQ and SACo.

    Args:
        returns: Sum of the rewards of each episode.
        pairs: State and action of each step side by side, (n, s + A). Rows that are not finite are left out.
        reference: The same of the reference, such as a run's whole practice; None = the set itself.

    Returns:
        Both NaN without episodes, or where the reference has pairs of another size.
    """
    other_returns, other_pairs = reference or (returns, pairs)
    tq = saco = float("nan")
    if returns and other_returns:
        low, high = min(other_returns), max(other_returns)
        tq = (float(np.mean(returns)) - low) / (high - low) if high > low else float("nan")
    pairs, other_pairs = (rows[np.isfinite(rows).all(axis=1)] for rows in (pairs, other_pairs))
    if len(pairs) and len(other_pairs) and pairs.shape[1] == other_pairs.shape[1]:
        edges = other_pairs.min(axis=0), other_pairs.max(axis=0)
        whole = len(pairs) if reference is None else _different(other_pairs, *edges)
        saco = _different(pairs, *edges) / whole
    return Coverage(tq, saco, reference is not None)


def _different(pairs: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> int:
    width = np.where(high > low, high - low, 1.0)
    cells = np.clip(np.floor((pairs - low) / width * BINS), 0, BINS - 1).astype(np.int8)
    return len(np.unique(cells, axis=0))
