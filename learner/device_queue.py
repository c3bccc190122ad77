"""The queue of blocks that a device has still to compute."""

from __future__ import annotations

from collections import deque

import torch

__all__ = ["DeviceQueue"]

DEPTH = 2  # blocks: one is computed while the next is submitted; each holds its pinned memory until it is done


class DeviceQueue:
    """Keeps the host from running far ahead of a CUDA device, which queues work as fast as the host submits it.

    Args:
        device: The device. On all but CUDA a step is over when its call returns, and there is nothing to wait for.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._ends: deque[torch.cuda.Event] = deque()

    def wait(self) -> None:
        """Count the work submitted since the last call as one block; wait while there are more than two."""
        if self._device.type != "cuda":
            return
        end = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        end.record(torch.cuda.current_stream(self._device))
        self._ends.append(end)
        while len(self._ends) > DEPTH:
            self._ends.popleft().synchronize()
