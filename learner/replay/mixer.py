"""How many rows of a batch come from demonstrations."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Mixer"]


class Mixer:
    """Keeps `demo_ratio` in every batch up to rounding, and exactly in the long run.

    Args:
        demo_ratio: share of demo rows, 0..1.
        batch_size: rows of one batch.
    """

    def __init__(self, demo_ratio: float, batch_size: int) -> None:
        if not 0.0 <= demo_ratio <= 1.0:
            raise ValueError(f"demo_ratio: expected a share within [0, 1], found {demo_ratio}")
        self._batch_size = batch_size
        self._per_batch = Fraction(str(demo_ratio)) * batch_size

    def demo_rows(self, batch: int, online: int, demo: int) -> int:
        """Rows from the demo index in batch number `batch`.

        Args:
            batch: counts up by one; the rows of all batches before it follow from it.
            online: starts in the online index; 0 makes the batch all demo.
            demo: starts in the demo index; 0 makes the batch all online.
        """
        if demo == 0:
            return 0
        if online == 0:
            return self._batch_size
        return int((batch + 1) * self._per_batch) - int(batch * self._per_batch)
