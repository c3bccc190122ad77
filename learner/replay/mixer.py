"""How many rows of a batch come from demonstrations, and how many from practice of other runs."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Mixer"]


class Mixer:
    """Keeps `demo_ratio` and `prior_share` in every batch up to rounding, and exactly in the long run.

    Args:
        demo_ratio: share of demo rows, 0..1.
        batch_size: rows of one batch.
        prior_share: share of practice of other runs in the rows that are not demo rows, 0..1.
    """

    def __init__(self, demo_ratio: float, batch_size: int, prior_share: float = 0.0) -> None:
        if not 0.0 <= demo_ratio <= 1.0:
            raise ValueError(f"demo_ratio: expected a share within [0, 1], found {demo_ratio}")
        if not 0.0 <= prior_share <= 1.0:
            raise ValueError(f"prior_share: expected a share within [0, 1], found {prior_share}")
        self._batch_size = batch_size
        self._per_batch = Fraction(str(demo_ratio)) * batch_size
        self._prior_share = Fraction(str(prior_share))

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
        return _part(batch, self._per_batch)

    def offline_demo_rows(self, batch: int, demo: int, prior: int) -> int:
        """Rows from the demo index in batch number `batch` of pretraining: as many as there are, `demo_ratio` at least.

        Args:
            batch: as for `demo_rows`.
            demo: starts in the demo index.
            prior: starts in practice of other runs; 0 makes the batch all demo.
        """
        if demo == 0:
            return 0
        share = Fraction(demo, demo + prior) * self._batch_size
        return _part(batch, max(share, self._per_batch))

    def prior_rows(self, batch: int, online: int, prior: int, demo_rows: int) -> int:
        """Rows from practice of other runs in batch number `batch`.

        Args:
            batch: as for `demo_rows`.
            online: starts in the online index; 0 makes the rest of the batch all prior.
            prior: starts in practice of other runs; 0 makes the rest of the batch all online.
            demo_rows: rows of this batch from the demo index; the rest is what is left.
        """
        rest = self._batch_size - demo_rows
        if prior == 0:
            return 0
        if online == 0:
            return rest
        others = self._batch_size - (self._per_batch if demo_rows else 0)
        return min(_part(batch, others * self._prior_share), rest)


def _part(batch: int, per_batch: Fraction) -> int:
    """Return the whole rows of one batch, so that all batches up to it have `per_batch` each, rounded down."""
    return int((batch + 1) * per_batch) - int(batch * per_batch)
