"""A profiler by wrapped functions: each gets its own time, without that of inner watched functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks.measure import CLOCK

__all__ = ["Stopwatch"]


class Stopwatch:
    """Accumulator of the time of watched functions by item, for one thread.

    A function may open a stage. Its own time and that of its callees is then counted under the item's name with the
    stage's name appended.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack: list[tuple[str, str, int]] = []  # item, stage, when it began or went on

    @contextmanager
    def watching(self, *watched: tuple[Any, str, str, str]) -> Iterator[None]:
        """Watch functions (owner, name, item, stage): the time of `owner.name` is counted as `item`.

        A stage of "" means the caller's stage.
        """
        with ExitStack() as stack:
            for owner, name, item, stage in watched:
                stack.enter_context(patch.object(owner, name, self._wrapped(getattr(owner, name), item, stage)))
            yield

    @contextmanager
    def span(self, item: str, stage: str = "") -> Iterator[None]:
        """Count the time inside the context as `item`."""
        stage = stage or (self._stack[-1][1] if self._stack else "")
        now_ns = CLOCK.now_ns()
        self._stop(now_ns)
        self._stack.append((item, stage, now_ns))
        try:
            yield
        finally:
            now_ns = CLOCK.now_ns()
            self._stop(now_ns)
            self._stack.pop()
            if self._stack:
                outer, outer_stage, _ = self._stack[-1]
                self._stack[-1] = (outer, outer_stage, now_ns)

    def _stop(self, now_ns: int) -> None:
        if self._stack:
            item, stage, since_ns = self._stack[-1]
            label = f"{stage}: {item}" if stage else item
            self.seconds[label] = self.seconds.get(label, 0.0) + (now_ns - since_ns) / 1e9

    def _wrapped(self, function: Callable[..., Any], item: str, stage: str) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.span(item, stage):
                return function(*args, **kwargs)

        return watched
