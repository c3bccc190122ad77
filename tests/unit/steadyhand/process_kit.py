"""Waiting for other processes."""

import time

from steadyhand.runtime.clock import MonotonicClock


def wait_for(condition, limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    pause = MonotonicClock()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.sleep_until(pause.now_ns() + 20_000_000)


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
