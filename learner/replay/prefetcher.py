"""Prefetcher: it draws the next block on a thread of its own, while the gradient steps of this one are made."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch

from steadyhand.learner.algos.batch import to_host
from steadyhand.learner.replay.sampler import Sampler

__all__ = ["Prefetcher"]


class Prefetcher:
    """Draws at most one block ahead. No other thread may change the store between `ask` and `take`.

    The rows of a block do not depend on the time of the draw, only on the seed, the update and the visible part of the
    store.

    Args:
        sampler: Draws the blocks.
        device: Device that will use them; for CUDA they are handed over in pinned memory.
        threaded: Whether there is a thread; without one a block is drawn when it is taken.
    """

    def __init__(self, sampler: Sampler, device: torch.device, threaded: bool = True) -> None:
        self._sampler, self._device = sampler, device
        self._thread = ThreadPoolExecutor(1, "prefetch") if threaded else None
        self._asked: tuple[int, int, bool] | None = None
        self._drawn: Future[dict[str, Any]] | None = None

    def ask(self, update: int, slices: int, offline: bool) -> None:
        """Begin to draw a block; the arguments are those of `Sampler.sample`."""
        if self._asked is not None:
            raise ValueError(f"prefetch: expected block {self._asked[0]} to be taken first, found {update}")
        self._asked = (update, slices, offline)
        if self._thread is not None:
            self._drawn = self._thread.submit(self._draw, *self._asked)

    def take(self) -> dict[str, Any]:
        """Return the requested block once it is drawn.

        Raises:
            Exception: The error of the draw.
        """
        if self._asked is None:
            raise ValueError("prefetch: expected a block to have been asked for, found none")
        asked, drawn = self._asked, self._drawn
        self._asked = self._drawn = None
        return self._draw(*asked) if drawn is None else drawn.result()

    def close(self) -> None:
        """End the thread; a block that was not taken is dropped."""
        if self._thread is not None:
            self._thread.shutdown()

    def _draw(self, update: int, slices: int, offline: bool) -> dict[str, Any]:
        block: dict[str, Any] = to_host(self._sampler.sample(update, slices, offline), self._device)
        return block
