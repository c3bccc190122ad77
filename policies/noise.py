"""Random numbers of a generator, one after another, which can also be drawn ahead of the code that uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import torch
from torch import Tensor

__all__ = ["Draw", "Noise"]

Kind = Literal["normal", "uniform", "integers", "order"]


class Draw(NamedTuple):
    """One draw: what, in which shape, and below which number, where it is of integers."""

    kind: Kind
    shape: tuple[int, ...]
    high: int = 0


class Noise:
    """The random numbers of a generator.

    A compiled step cannot draw from a generator. Its draws are noted while it is made without compilation (`noted`).
    They are then made before each compiled step, in the same order (`draw`), and handed to it (`given`).

    Args:
        seed: Fixes the numbers.
        device: Device of the numbers.

    Attributes:
        generator: Their source.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.generator = torch.Generator(device).manual_seed(seed)
        self._notes: list[Draw] | None = None
        self._given: Sequence[Tensor] | None = None
        self._used = 0

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Draw numbers of the standard normal distribution, float32."""
        return self._next(Draw("normal", tuple(shape)))

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draw numbers uniformly from [0, 1), float32."""
        return self._next(Draw("uniform", tuple(shape)))

    def integers(self, high: int, shape: Sequence[int]) -> Tensor:
        """Draw integers uniformly from 0 to `high` - 1, int64."""
        return self._next(Draw("integers", tuple(shape), high))

    def order(self, count: int) -> Tensor:
        """Draw a random order (count,) of the numbers 0 to `count` - 1, int64."""
        return self._next(Draw("order", (count,)))

    @contextmanager
    def noted(self) -> Iterator[list[Draw]]:
        """Note the draws that are made within."""
        notes: list[Draw] = []
        self._notes = notes
        try:
            yield notes
        finally:
            self._notes = None

    def draw(self, draws: Sequence[Draw]) -> list[Tensor]:
        """Make draws that were noted."""
        return [DRAWERS[draw.kind](draw, self.generator) for draw in draws]

    @contextmanager
    def given(self, numbers: Sequence[Tensor]) -> Iterator[None]:
        """Let the draws within return these tensors, in this order."""
        self._given, self._used = numbers, 0
        try:
            yield
        finally:
            self._given = None

    def _next(self, draw: Draw) -> Tensor:
        if self._given is not None:
            self._used += 1
            return self._given[self._used - 1]
        if self._notes is not None:
            self._notes.append(draw)
        return DRAWERS[draw.kind](draw, self.generator)


DRAWERS: Mapping[Kind, Callable[[Draw, torch.Generator], Tensor]] = {
    "normal": lambda draw, source: torch.randn(draw.shape, generator=source, device=source.device),
    "uniform": lambda draw, source: torch.rand(draw.shape, generator=source, device=source.device),
    "integers": lambda draw, source: torch.randint(draw.high, draw.shape, generator=source, device=source.device),
    "order": lambda draw, source: torch.randperm(draw.shape[0], generator=source, device=source.device),
}
