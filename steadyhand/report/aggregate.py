"""Aggregates over seeds and tasks with stratified bootstrap intervals (Agarwal et al., arXiv 2108.13264)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVEL", "Array", "Interval95", "iqm", "probability_of_improvement", "resampled", "stratified_interval"]

Array = NDArray[np.float64]
Interval95 = tuple[float, float]
LEVEL = 0.95  # of an interval
RESAMPLES = 5_000
TRIM = 0.25  # share of the scores that is cut at either end


def iqm(scores: Array, axis: int = -1) -> Any:
    """Return the interquartile mean along an axis: the mean without the lowest and the highest quarter.

    As in section 4.3 of the paper, floor(n / 4) scores are cut at either end. So fewer than four scores are averaged
    whole.
    """
    ordered = np.sort(scores, axis=axis)
    n = ordered.shape[axis]
    cut = int(TRIM * n)
    return np.take(ordered, range(cut, n - cut), axis=axis).mean(axis=axis)


def resampled(strata: Sequence[Array], rng: np.random.Generator, resamples: int = RESAMPLES) -> Array:
    """Return bootstrap samples of the runs, drawn with replacement within each task.

    Args:
        strata: Scores of each task's runs. Shape (runs, ...) each; the rest of the shapes is equal.
        rng: Draws the runs.
        resamples: Number of samples.

    Returns:
        Samples over the runs of all tasks. Shape (resamples, all runs, ...).
    """
    drawn = [scores[rng.integers(0, len(scores), (resamples, len(scores)))] for scores in strata]
    joined: Array = np.concatenate(drawn, axis=1)
    return joined


def stratified_interval(
    strata: Sequence[Array], statistic: Callable[[Array], Any], rng: np.random.Generator
) -> tuple[Any, Any]:
    """Return the percentile interval of a statistic over stratified bootstrap samples.

    Args:
        strata: As for `resampled`.
        statistic: Takes samples (resamples, all runs, ...) and returns one value, or one array, per sample.
        rng: Draws the runs.
    """
    values = statistic(resampled(strata, rng))
    tail = 50.0 * (1.0 - LEVEL)
    low, high = np.percentile(values, (tail, 100.0 - tail), axis=0)
    return low, high


def probability_of_improvement(
    first: Sequence[Array], second: Sequence[Array], rng: np.random.Generator
) -> tuple[float, Interval95]:
    """Return the probability that a run of the first group scores higher than one of the second, with its interval.

    The mean over tasks of P(X > Y) + P(X = Y) / 2 (the Mann-Whitney statistic, section 4.3 of the paper).

    Args:
        first: Scores of the first group by task. Shape (runs,) each.
        second: The same of the second group, for the same tasks.
        rng: Draws the runs.
    """
    drawn = []
    for x, y in zip(first, second, strict=True):
        drawn.append(_above(resampled([x], rng), resampled([y], rng)))
    point = float(np.mean([_above(x[None], y[None])[0] for x, y in zip(first, second, strict=True)]))
    tail = 50.0 * (1.0 - LEVEL)
    low, high = np.percentile(np.mean(drawn, axis=0), (tail, 100.0 - tail)).tolist()
    return point, (low, high)


def _above(x: Array, y: Array) -> Array:
    """Return P(X > Y) + P(X = Y) / 2 of each sample. Shapes (samples, n), (samples, m) -> (samples,)."""
    a, b = x[:, :, None], y[:, None, :]
    share: Array = ((a > b) + 0.5 * (a == b)).mean(axis=(1, 2))
    return share
