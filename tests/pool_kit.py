"""A thread pool without threads, so that work in the background comes in the same order every time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar


class Later(Future[Any]):
    """Result of work that is done when it is waited for, after all work before it."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    def result(self, timeout: float | None = None) -> Any:
        self._pool.work()
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._pool.work()
        return super().exception(0)

    def done(self) -> bool:
        self._pool.work()
        return super().done()


class Pool:
    """A pool of one thread without the thread: the order of the calls is the same every time.

    Its work is done when it is waited for, or by `work_all`.
    """

    alive: ClassVar[list[Pool]] = []

    def __init__(self, *_: object, **__: object) -> None:
        self._queue: deque[tuple[Later, Callable[..., Any], tuple[Any, ...]]] = deque()
        Pool.alive.append(self)

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Later:
        later = Later(self)
        self._queue.append((later, work, arguments))
        return later

    def work(self) -> None:
        while self._queue:
            later, work, arguments = self._queue.popleft()
            try:
                later.set_result(work(*arguments))
            except Exception as error:
                later.set_exception(error)

    def shutdown(self) -> None:
        self.work()

    @classmethod
    def work_all(cls) -> None:
        """Let every background thread finish what it has to do."""
        for pool in cls.alive:
            pool.work()
