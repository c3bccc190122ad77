import os
import threading

import pytest
import zmq

from tests.transport_kit import CONFIG, wait_until
from transport.socket_thread import InsecureAddressError, SocketThread, check_loopback


class Counter(SocketThread):
    def __init__(self, fail: bool = False) -> None:
        super().__init__("counter", CONFIG, None)
        self.steps, self.left, self.fail = 0, False, fail

    def _step(self) -> None:
        self._wait(30.0)
        self.steps += 1
        if self.fail:
            raise RuntimeError("broken")

    def _leave(self) -> None:
        self.left = True


def test_a_wake_up_ends_the_wait_and_close_ends_the_thread():
    thread = Counter()
    thread.start()
    thread.start()
    thread.wake()
    wait_until(lambda: thread.steps >= 1)
    thread.close()
    thread.close()
    thread.wake()
    assert thread.left
    assert thread.failure is None


def test_an_error_is_kept_for_the_owner():
    thread = Counter(fail=True)
    thread.start()
    thread.wake()
    wait_until(lambda: thread.failure)
    assert str(thread.failure) == "broken"
    thread.close()


def test_up_and_down_leaks_neither_files_nor_threads():
    def cycle(start: bool) -> None:
        thread = Counter()
        if start:
            thread.start()
        thread.close()

    cycle(True)
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for start in (True, False) * 10:
        cycle(start)
    assert len(os.listdir("/proc/self/fd")) <= files
    assert threading.active_count() <= threads


def test_sockets_are_bounded_from_the_start():
    thread = Counter()
    socket = thread._socket(zmq.SUB, 5, conflate=True)
    assert socket.getsockopt(zmq.MAXMSGSIZE) >= CONFIG.max_frame_bytes
    assert socket.getsockopt(zmq.LINGER) == 200
    assert socket.getsockopt(zmq.RCVHWM) == 16
    assert socket.getsockopt(zmq.HEARTBEAT_IVL) == 50
    thread.close()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:5555", "tcp://127.0.0.9:*", "tcp://localhost:1", "tcp://[::1]:1"])
def test_loopback_is_served(address):
    check_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://*:5555",
        "tcp://0.0.0.0:5555",
        "tcp://192.168.1.4:5555",
        "tcp://[::]:1",
        "tcp://lab:1",
        "ipc:///x",
        "127.0.0.1:1",
    ],
)
def test_anything_else_is_refused_without_keys(address):
    with pytest.raises(InsecureAddressError, match="loopback"):
        check_loopback(address)
