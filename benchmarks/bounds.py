"""The best performance of the machine: the same matrix products, the same bytes copied, sent or written to disk."""

from __future__ import annotations

import os
import socket
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.measure import CLOCK
from steadyhand.learner.algos.sac import SacSettings
from steadyhand.policies import PolicySpec

__all__ = ["Products", "RowCopies", "disk_bytes_per_s", "loopback_bytes_per_s"]

CHUNK = 1 << 20


class Products:
    """The matrix products of gradient steps alone; each call makes all of them.

    Args:
        config: Batch size, number of critics, and number of critic steps per policy step.
        spec: Specification of the policy's layers.
        feature_size: Size of the layers' input.
    """

    def __init__(self, config: SacSettings, spec: PolicySpec, feature_size: int) -> None:
        rows = config.batch_size
        policy = list(pairwise((feature_size, *spec.hidden, 2 * spec.action_size)))
        critic = list(pairwise((feature_size + spec.action_size, *config.critic_hidden, 1)))
        self._products: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        for _ in range(config.policy_delay):
            self._forward(1, rows, policy)  # the next action
            self._forward(config.num_min, rows, critic)  # its value
            self._forward(config.num_critics, rows, critic)
            self._backward(config.num_critics, rows, critic, first=False)
        self._forward(1, rows, policy)
        self._forward(config.num_critics, rows, critic)
        self._backward(config.num_critics, rows, critic, first=True, weights=False)
        self._backward(1, rows, policy, first=False)

    def _forward(self, batch: int, rows: int, layers: list[tuple[int, int]]) -> None:
        for fan_in, fan_out in layers:
            self._add(batch, rows, fan_in, fan_out)

    def _backward(
        self, batch: int, rows: int, layers: list[tuple[int, int]], first: bool, weights: bool = True
    ) -> None:
        """Add the gradients of the weights and of each layer's input; with `first` also of the first layer's input."""
        for index, (fan_in, fan_out) in enumerate(layers):
            if weights:
                self._add(batch, fan_in, rows, fan_out)
            if first or index > 0:
                self._add(batch, rows, fan_out, fan_in)

    def _add(self, batch: int, rows: int, inner: int, columns: int) -> None:
        left, right = torch.rand(batch, rows, inner), torch.rand(batch, inner, columns)
        self._products.append((left, right, torch.empty(batch, rows, columns)))

    def __call__(self) -> None:
        """Make every product once."""
        for left, right, out in self._products:
            torch.bmm(left, right, out=out)


class RowCopies:
    """A bare gather: whole rows of a memory-mapped file, copied into allocated memory.

    Args:
        path: The file, of at least `count` times `row_bytes`.
        row_bytes: Size of one row.
        rows: Indices of the rows that a call copies. Shape (n,).
    """

    def __init__(self, path: Path, row_bytes: int, rows: NDArray[np.int64]) -> None:
        count = path.stat().st_size // row_bytes
        self._table = np.memmap(path, np.uint8, "r", shape=(count, row_bytes))
        self._rows = rows % count
        self._out = np.empty((len(rows), row_bytes), np.uint8)

    def __call__(self) -> None:
        """Copy all rows once."""
        np.take(self._table, self._rows, axis=0, out=self._out, mode="clip")


def loopback_bytes_per_s(message_bytes: int, count: int) -> float:
    """Return the rate of one TCP connection within this machine: one thread sends, another reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        reader, _ = listener.accept()
    message, room = bytes(message_bytes), bytearray(CHUNK)

    def send() -> None:
        with sender:
            for _ in range(count):
                sender.sendall(message)

    thread = threading.Thread(target=send, name="bound sender")
    began_ns = CLOCK.now_ns()
    thread.start()
    with reader:
        received = 0
        while found := reader.recv_into(room):
            received += found
    thread.join()
    return received / ((CLOCK.now_ns() - began_ns) / 1e9)


def disk_bytes_per_s(folder: Path, size: int) -> float:
    """Return the rate at which a new file of `size` bytes is written to disk, including the last sync."""
    path, chunk = folder / "bound", os.urandom(CHUNK)
    began_ns = CLOCK.now_ns()
    with path.open("wb", buffering=0) as file:
        for _ in range(max(1, size // CHUNK)):
            file.write(chunk)
        os.fsync(file.fileno())
    elapsed_s = (CLOCK.now_ns() - began_ns) / 1e9
    path.unlink()
    return max(1, size // CHUNK) * CHUNK / elapsed_s
