"""The mixture of a batch: the numbers of rows from demonstrations, an earlier run's and those of other runs."""

from __future__ import annotations

from fractions import Fraction

from steadyhand.runtime.ranges import expect

__all__ = ["Mixer"]


class Mixer:
    """Keeps `demo_ratio` and `prior_share` in every batch up to rounding, and exactly in the long run.

    Args:
        demo_ratio: Share of demo rows, 0..1.
        batch_size: Rows of one batch.
        prior_share: Share of other runs' online data in the rows that are not demo rows, 0..1.
        earlier_share: Share of an earlier run's demonstrations in the demo rows, 0..1.
    """

    def __init__(
        self, demo_ratio: float, batch_size: int, prior_share: float = 0.0, earlier_share: float = 0.0
    ) -> None:
        shares = {"demo_ratio": demo_ratio, "prior_share": prior_share, "earlier_share": earlier_share}
        for name, share in shares.items():
            expect(0.0 <= share <= 1.0, name, "a share within [0, 1]", share)
        self._batch_size = batch_size
        self._per_batch = Fraction(str(demo_ratio)) * batch_size
        self._prior_share = Fraction(str(prior_share))
        self._earlier_share = Fraction(str(earlier_share))

    def demo_rows(self, batch: int, online: int, demo: int) -> int:
        """Return the number of rows from the demo index in batch number `batch`.

        Args:
            batch: Counts up by one; the rows of all batches before it follow from it.
            online: Starts in the online index; 0 makes the batch all demo.
            demo: Starts in the demo index; 0 makes the batch all online.
        """
        if demo == 0:
            return 0
        if online == 0:
            return self._batch_size
        return _part(batch, self._per_batch)

    def offline_demo_rows(self, batch: int, demo: int, prior: int) -> int:
        """Return the number of demo rows in batch number `batch` of pretraining.

        Their share is that of all starts, and at least `demo_ratio`.

        Args:
            batch: Number of the batch, as in `demo_rows`.
            demo: Starts in the demo index.
            prior: Starts in other runs' online data; 0 makes the batch all demo.
        """
        if demo == 0:
            return 0
        share = Fraction(demo, demo + prior) * self._batch_size
        return _part(batch, max(share, self._per_batch))

    def earlier_rows(self, batch: int, demo: int, earlier: int, demo_rows: int) -> int:
        """Return the number of demo rows in batch number `batch` that are an earlier run's.

        Args:
            batch: Number of the batch, as in `demo_rows`.
            demo: Starts in the run's own demo index; 0 makes all demo rows the earlier run's.
            earlier: Starts in the earlier run's demo index; 0 makes all demo rows the run's own.
            demo_rows: Demo rows of this batch, of both runs together.
        """
        if earlier == 0:
            return 0
        if demo == 0:
            return demo_rows
        return min(_part(batch, demo_rows * self._earlier_share), demo_rows)

    def prior_rows(self, batch: int, online: int, prior: int, demo_rows: int) -> int:
        """Return the number of rows from other runs' online data in batch number `batch`.

        Args:
            batch: Number of the batch, as in `demo_rows`.
            online: Starts in the online index; 0 makes the rest of the batch all prior.
            prior: Starts in other runs' online data; 0 makes the rest of the batch all online.
            demo_rows: Rows of this batch from the demo index; the others are the rest.
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
