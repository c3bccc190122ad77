import threading

import pytest

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.reader import Reader
from tests.transport_kit import wait_until


class FakeLink:
    def __init__(self, fault: list[Exception]) -> None:
        self.fault, self.closed = fault, False

    def serve(self, timeout_s):
        if self.fault:
            raise self.fault.pop()
        threading.Event().wait(0.001)

    def close(self):
        self.closed = True


class Bench:
    def __init__(self):
        self.faults, self.links, self.losses, self.refusals = [], [], 0, 0
        self.reader = Reader("device", self.open, self.lose, retry_s=0.005)

    def open(self):
        if self.refusals:
            self.refusals -= 1
            raise FileNotFoundError("no such device")
        self.links.append(FakeLink(self.faults))
        return self.links[-1]

    def lose(self):
        self.losses += 1


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.reader.stop()


def test_what_cannot_be_opened_is_an_error_that_names_the_device(bench):
    bench.refusals = 1
    with pytest.raises(DeviceError, match="device: no such device"):
        bench.reader.start()
    assert not bench.reader.running


def test_a_lost_device_is_looked_for_until_it_is_back(bench):
    bench.reader.start()
    bench.refusals = 5
    bench.faults.append(OSError("unplugged"))
    wait_until(lambda: len(bench.links) == 2)
    assert bench.refusals == 0
    assert bench.losses == 1
    assert bench.links[0].closed
    assert not bench.links[1].closed


def test_a_reader_that_dies_of_a_mistake_leaves_no_reading_behind(bench, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    bench.reader.start()
    bench.faults.append(ZeroDivisionError())
    wait_until(lambda: bench.losses == 1)
    wait_until(lambda: bench.links[0].closed)


def test_stopping_closes_the_device(bench):
    bench.reader.start()
    bench.reader.stop()
    bench.reader.stop()
    assert bench.links[0].closed
    assert not bench.reader.running
