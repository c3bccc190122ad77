import threading
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras import capture as module
from steadyhand.robot_envs.cameras.capture import Capture, CaptureTiming, RecordingEndedError
from steadyhand.runtime.clock import MonotonicClock
from tests.transport_kit import wait_until

TIMING = CaptureTiming(first_frame_s=2.0, silence_s=0.1, retry_s=0.01, max_retry_s=0.04)
PICTURE = np.zeros((4, 4, 3), np.uint8)


class FakeSource:
    def __init__(self, bench):
        self.bench, self.closed = bench, False

    def read(self, timeout_s):
        if self.bench.faults:
            raise self.bench.faults.pop()
        self.bench.pace.wait(0.002)
        return None if self.bench.silent else {"colour": PICTURE}

    def close(self):
        self.closed = True


class Bench:
    def __init__(self, timing=TIMING):
        self.faults, self.sources, self.refusals, self.silent = [], [], [], False
        self.pace = threading.Event()
        self.taken = []
        self.capture = Capture("device", self.open, timing, MonotonicClock())
        self.capture.add(lambda source, pictures, now_ns: self.taken.append(now_ns))

    def open(self):
        if self.refusals:
            raise self.refusals.pop()
        self.sources.append(FakeSource(self))
        return self.sources[-1]

    def begin(self):
        self.capture.start()
        self.capture.wait(lambda: bool(self.taken))


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.capture.stop()


def test_every_picture_is_delivered_with_its_receive_time(bench):
    bench.begin()
    wait_until(lambda: len(bench.taken) > 20)
    assert bench.taken == sorted(bench.taken)
    wait_until(lambda: bench.capture.health.frames_per_s > 20)
    assert bench.capture.health.last_error == ""


def test_a_device_that_cannot_be_opened_is_an_error_at_once(bench):
    bench.refusals = [CameraError("no such thing")]
    bench.capture.start()
    with pytest.raises(CameraError, match=r"^device: no such thing$"):
        bench.capture.wait(lambda: bool(bench.taken))


def test_an_error_of_a_drivers_library_is_one_line(bench):
    bench.refusals = [RuntimeError("two\nlines")]
    bench.capture.start()
    with pytest.raises(CameraError, match=r"^device: RuntimeError: two lines \(test_capture\.py, line \d+\)$"):
        bench.capture.wait(lambda: bool(bench.taken))


def test_a_lost_device_is_opened_again(bench):
    bench.begin()
    bench.refusals = [CameraError("still gone") for _ in range(3)]
    bench.faults.append(CameraError("unplugged"))
    wait_until(lambda: len(bench.sources) == 2)
    wait_until(lambda: bench.capture.health.reconnects == 1)
    assert bench.sources[0].closed
    assert bench.refusals == []
    assert bench.capture.health.last_error == "device: still gone"


def test_a_silent_device_is_opened_again(bench):
    bench.begin()
    bench.silent = True
    wait_until(lambda: bench.sources[0].closed)
    assert "expected a picture within 0.1 s, found none" in bench.capture.health.last_error
    bench.silent = False
    wait_until(lambda: bench.capture.health.reconnects == 1)


def test_without_supervision_of_silence_a_hung_device_stays_hung():
    """The twin: with a long limit the same silence goes unnoticed."""
    bench = Bench(replace(TIMING, silence_s=60.0))
    bench.begin()
    bench.silent = True
    quiet = threading.Event()
    quiet.wait(3 * TIMING.silence_s)
    assert len(bench.sources) == 1
    assert bench.capture.health.last_error == ""
    bench.capture.stop()


def test_pauses_between_attempts_double_up_to_the_longest(bench, monkeypatch):
    bench.begin()
    pauses, wait = [], bench.capture._ending.wait
    monkeypatch.setattr(bench.capture._ending, "wait", lambda pause_s: pauses.append(pause_s) or wait(pause_s))
    bench.refusals = [CameraError("gone") for _ in range(4)]
    bench.faults.append(CameraError("unplugged"))
    wait_until(lambda: bench.capture.health.reconnects == 1)
    assert pauses[:5] == [0.01, 0.02, 0.04, 0.04, 0.04]


def test_a_recording_that_has_ended_is_not_opened_again(bench):
    bench.begin()
    bench.faults.append(RecordingEndedError("the end"))
    wait_until(lambda: bench.capture.health.last_error == "device: the end")
    wait_until(lambda: bench.sources[0].closed)
    assert not bench.refusals
    assert len(bench.sources) == 1


def test_a_loss_is_logged_once(bench, caplog):
    bench.begin()
    bench.refusals = [CameraError("gone") for _ in range(4)]
    bench.faults.append(CameraError("gone"))
    wait_until(lambda: bench.capture.health.reconnects == 1)
    assert [record.message for record in caplog.records if "gone" in record.message] == ["device: gone"]


def test_a_device_that_does_not_open_in_time(monkeypatch):
    monkeypatch.setattr(module, "GRACE_S", 0.05)
    bench, held = Bench(replace(TIMING, first_frame_s=0.05)), threading.Event()
    bench.open, opening = bench.open, threading.Event()
    bench.capture._open = lambda: opening.set() or held.wait(10.0) or FakeSource(bench)
    bench.capture.start()
    with pytest.raises(CameraError, match=r"device: expected a picture within 0\.05 s, found none"):
        bench.capture.wait(lambda: bool(bench.taken))
    assert opening.is_set()
    held.set()
    bench.capture.stop()


def test_a_driver_that_hangs_delays_the_end_by_a_bounded_time(monkeypatch, caplog):
    monkeypatch.setattr(module, "JOIN_S", 0.05)
    bench, hung, held = Bench(), threading.Event(), threading.Event()
    bench.begin()
    thread = bench.capture._thread
    monkeypatch.setattr(bench.sources[0], "read", lambda timeout_s: hung.set() or (held.wait(10.0) and None))
    assert hung.wait(10.0)
    bench.capture.stop()
    assert "its driver does not return" in caplog.text
    held.set()
    wait_until(lambda: not thread.is_alive())
    assert bench.sources[0].closed


@pytest.mark.parametrize("wrong", [{"silence_s": 0.0}, {"first_frame_s": -1.0}, {"max_retry_s": 0.001}])
def test_times_have_to_make_sense(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(TIMING, **wrong)
