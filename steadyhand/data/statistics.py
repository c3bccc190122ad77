"""Statistics of columns as LeRobotDataset v3.0 stores them, by episode and for the whole set.

Names and shapes are those of huggingface/lerobot, `src/lerobot/datasets/compute_stats.py`: pictures have one value a
channel, (3, 1, 1) within [0, 1]; quantiles of a set are means of those of its episodes, weighted by their counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Statistics", "column_statistics", "joined_statistics"]

Statistics = dict[str, NDArray[np.float64]]

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
MOST_PICTURES = 100  # of an episode, evenly spaced


def column_statistics(values: NDArray[Any]) -> Statistics:
    """Return the statistics of one episode's column.

    Args:
        values: Numbers (n,) or (n, k), or pictures (n, h, w, 3) uint8.
    """
    if values.ndim == 4:
        return _of_pictures(values[:: -(-len(values) // MOST_PICTURES)])
    rows = values.reshape(len(values), -1).astype(np.float64)
    found = {"min": rows.min(axis=0), "max": rows.max(axis=0), "mean": rows.mean(axis=0), "std": rows.std(axis=0)}
    found |= dict(zip(QUANTILES, np.quantile(rows, list(QUANTILES.values()), axis=0), strict=True))
    return found | {"count": np.array([len(values)], np.float64)}


def _of_pictures(frames: NDArray[np.uint8]) -> Statistics:
    """Return the statistics of each channel from the counts of its 256 values, which need no sorting."""
    levels = np.arange(256) / 255.0
    counts = np.stack([np.bincount(frames[..., channel].reshape(-1), minlength=256) for channel in range(3)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    up_to = np.cumsum(shares, axis=1)
    found = {
        "min": levels[(counts > 0).argmax(axis=1)],
        "max": levels[255 - (counts[:, ::-1] > 0).argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(shares @ levels**2 - mean**2, 0.0)),
    }
    found |= {name: levels[(up_to >= share - 1e-12).argmax(axis=1)] for name, share in QUANTILES.items()}
    shaped = {name: value.reshape(3, 1, 1) for name, value in found.items()}
    return shaped | {"count": np.array([len(frames)], np.float64)}


def joined_statistics(parts: Sequence[Statistics]) -> Statistics:
    """Return the statistics of a set from those of its episodes."""
    counts = np.array([part["count"][0] for part in parts])
    weights = (counts / counts.sum()).reshape(-1, *([1] * parts[0]["mean"].ndim))
    means = np.stack([part["mean"] for part in parts])
    mean = (weights * means).sum(axis=0)
    variances = np.stack([part["std"] ** 2 for part in parts])
    found = {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt((weights * (variances + (means - mean) ** 2)).sum(axis=0)),
        "count": np.array([counts.sum()]),
    }
    return found | {name: (weights * np.stack([part[name] for part in parts])).sum(axis=0) for name in QUANTILES}
