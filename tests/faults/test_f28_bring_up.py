"""F28: everything is brought up and down again and again. No file, no thread and no port is left behind."""

import gc
import os
import threading
from contextlib import closing

import numpy as np
import pytest

from steadyhand.transport.log import LogReader
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.faults.scale import FULL
from tests.robot_kit import make_robot_env
from tests.transport_kit import CONFIG, hello, intake_in, reaching, wait_until, write_episode, writer_in

TIMES = 1000 if FULL else 20


def held() -> tuple[int, int]:
    """Return the open files, sockets among them, and the threads of this process."""
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count()


def robot() -> None:
    with closing(make_robot_env("task=reach")) as env:
        env.reset(seed=0)
        env.step(np.zeros(6, np.float32))


class Link:
    """The learner's sockets, at the same ports every time, and an actor that delivers a few records."""

    def __init__(self, folder) -> None:
        self._folder, self.config, self._times = folder, CONFIG, 0

    def __call__(self) -> None:
        self._times += 1
        name = f"{self._times:04d}"
        with (
            closing(intake_in(self._folder / name / "learner", config=self.config)) as intake,
            closing(ZmqServer(intake, self.config)) as server,
            closing(writer_in(self._folder / name / "actor", self._times)) as writer,
            closing(LogReader(writer.folder)) as reader,
            closing(ZmqUplink(reaching(self.config, server), reader)) as uplink,
        ):
            self.config = reaching(self.config, server)  # the next one must find these ports free
            uplink.connect(hello(self._times), 30.0)
            write_episode(writer, self._times % 256, 0, 3)  # what its frames show
            uplink.notify()
            wait_until(lambda: uplink.progress().next_seq == writer.next_seq, 30.0)


def leaked(once, times: int) -> int:
    """Bring it up and down once to warm up, then `times` more; return the growth of files and threads."""
    once()
    files, threads = held()
    for _ in range(times):
        once()
    files_after, threads_after = held()
    return max(0, files_after - files) + max(0, threads_after - threads)


@pytest.mark.timeout(3000 if FULL else 120)
def test_the_robot(record_property):
    growth = leaked(robot, TIMES)
    record_property("leaked", growth)
    assert growth == 0


@pytest.mark.timeout(3000 if FULL else 180)
def test_the_link(tmp_path, record_property):
    growth = leaked(Link(tmp_path), TIMES)
    record_property("leaked", growth)
    record_property("successes", TIMES)
    assert growth == 0


def test_a_leak_would_be_seen():
    kept = []
    try:
        assert leaked(lambda: kept.append(os.open("/dev/null", os.O_RDONLY)), 3) == 3
    finally:
        for fd in kept:
            os.close(fd)
