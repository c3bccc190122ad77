"""Quality of a classifier on held-out observations: temperature, threshold, confusion matrix, precision and recall."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CurvePoint",
    "Quality",
    "false_positive_threshold",
    "fitted_temperature",
    "quality",
    "sigmoid",
    "suggested_threshold",
]

CURVE_POINTS = 100
STEPS = 60  # of the golden section; the interval shrinks to 1e-12 of its first length
LOG_TEMPERATURES = (-4.0, 4.0)
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class CurvePoint:
    """One point of the precision-recall curve; precision is 1 where nothing was classified as positive."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Quality:
    """Quality of one stage's probability on observations of held-out episodes, at one threshold.

    Attributes:
        threshold: Smallest probability that counts as positive.
        true_positives: Positive observations that are classified as positive, and so on.
        accuracy: Share of correct classifications, 0..1.
        precision: Share of true positives among those classified as positive; None when none was.
        recall: Share of the positives that are classified as positive.
        false_positive_rate: Share of the negatives that are classified as positive.
        curve: Points of the precision-recall curve, by threshold.
    """

    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    accuracy: float
    precision: float | None
    recall: float
    false_positive_rate: float
    curve: tuple[CurvePoint, ...]


def fitted_temperature(logits: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the temperature T that minimises the log loss of sigmoid(logits / T) (Guo et al., 1706.04599, eq. 9).

    Both classes count half, as in training. The targets are those of Platt (1999), (n + 1) / (n + 2) for n positives
    and 1 / (m + 2) for m negatives: with them a few observations that are all classified correctly do not make the
    probabilities 0 and 1.

    Args:
        logits: (n,).
        positive: (n,), both classes present.
    """
    count, others = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (count + 1.0) / (count + 2.0), 1.0 / (others + 2.0))
    weight = np.where(positive, 0.5 / count, 0.5 / others)

    def loss(log_temperature: float) -> float:
        z = logits / np.exp(log_temperature)
        return float(np.sum(weight * (np.logaddexp(0.0, z) - target * z)))

    low, high = LOG_TEMPERATURES
    for _ in range(STEPS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return float(np.exp((low + high) / 2.0))


def false_positive_threshold(probability: NDArray[np.float64], positive: NDArray[np.bool_], rate: float) -> float:
    """Return a threshold at which at most this share of the negatives is classified as positive.

    It is half-way between the highest negative that it has to reject and the lowest positive above that, so that
    neither is close to it.

    Args:
        probability: (n,).
        positive: (n,), both classes present.
        rate: Largest false-positive rate, 0..1.
    """
    negatives = np.sort(probability[~positive])[::-1]
    rejected = int(rate * len(negatives) + 1e-9)
    cut = float(negatives[rejected]) if rejected < len(negatives) else 0.0
    above = probability[positive & (probability > cut)]
    threshold = (cut + float(above.min())) / 2.0 if len(above) else cut
    # Rounding may leave the middle on the negative itself.
    return min(max(threshold, float(np.nextafter(cut, 1.0))), 1.0)


def suggested_threshold(
    probability: NDArray[np.float64], positive: NDArray[np.bool_], rate: float, recall: float
) -> float:
    """Return the threshold of `false_positive_threshold`, or a lower one if that recalls too few of the positives.

    A few negatives that look like the success can lift the former above nearly every positive. Then the threshold is
    the highest one with the required recall, and the false-positive rate is above `rate`.

    Args:
        probability: (n,).
        positive: (n,), both classes present.
        rate: Largest false-positive rate, 0..1.
        recall: Required share of the positives, 0..1.
    """
    wanted = false_positive_threshold(probability, positive, rate)
    needed = math.ceil(recall * int(positive.sum()) - 1e-9)
    if np.count_nonzero(probability[positive] >= wanted) >= needed:
        return wanted
    return float(np.sort(probability[positive])[::-1][needed - 1])


def quality(probability: NDArray[np.float64], positive: NDArray[np.bool_], threshold: float) -> Quality:
    """Compare probabilities (n,) with the truth (n,), in which both classes are present."""
    said = probability >= threshold
    tp, fp = int((said & positive).sum()), int((said & ~positive).sum())
    fn, tn = int((~said & positive).sum()), int((~said & ~positive).sum())
    return Quality(
        threshold=threshold,
        true_positives=tp,
        false_positives=fp,
        true_negatives=tn,
        false_negatives=fn,
        accuracy=(tp + tn) / len(probability),
        precision=tp / (tp + fp) if tp + fp else None,
        recall=tp / (tp + fn),
        false_positive_rate=fp / (fp + tn),
        curve=_curve(probability, positive),
    )


def _curve(probability: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[CurvePoint, ...]:
    values = np.unique(probability)
    if len(values) > CURVE_POINTS:
        values = values[np.linspace(0, len(values) - 1, CURVE_POINTS).round().astype(int)]
    points = []
    for threshold in values.tolist():
        said = probability >= threshold
        right = int((said & positive).sum())
        points.append(CurvePoint(threshold, right / int(said.sum()), right / int(positive.sum())))
    return tuple(points)


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) without an overflow."""
    return np.exp(-np.logaddexp(0.0, -logits))
