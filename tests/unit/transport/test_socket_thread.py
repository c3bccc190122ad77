import os
import threading

import pytest
import zmq

from steadyhand.transport.socket_thread import InsecureAddressError, SocketThread, check_address
from steadyhand.transport.wire import MAX_FRAMES
from tests.transport_kit import CONFIG, wait_until


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
    socket = thread._socket(zmq.SUB, 5, CONFIG.max_weights_bytes, conflate=True)
    assert socket.getsockopt(zmq.MAXMSGSIZE) >= CONFIG.max_weights_bytes
    assert socket.getsockopt(zmq.LINGER) == 200
    assert socket.getsockopt(zmq.RCVHWM) == 16
    assert socket.getsockopt(zmq.TCP_KEEPALIVE) == 1
    assert socket.getsockopt(zmq.HEARTBEAT_IVL) == 0, "it would abort a process that was stopped for a while"
    thread.close()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:5555", "tcp://127.0.0.9:*", "tcp://localhost:1", "tcp://[::1]:1"])
def test_loopback_needs_no_keys(address):
    check_address(address, keyed=False)
    check_address(address, keyed=True)


@pytest.mark.parametrize(
    "address", ["tcp://*:5555", "tcp://0.0.0.0:5555", "tcp://192.168.1.4:5555", "tcp://[::]:1", "tcp://lab:1"]
)
def test_other_machines_are_refused_without_keys(address):
    with pytest.raises(InsecureAddressError, match="without keys only loopback") as caught:
        check_address(address, keyed=False)
    assert "\n" not in str(caught.value)
    check_address(address, keyed=True)


@pytest.mark.parametrize("address", ["ipc:///x", "127.0.0.1:1", "tcp://", "inproc://x", "tcp://:5555", "pgm://e0;1:1"])
@pytest.mark.parametrize("keyed", [True, False])
def test_anything_but_tcp_is_refused(address, keyed):
    with pytest.raises(InsecureAddressError, match="expected tcp://"):
        check_address(address, keyed)


def test_of_a_message_with_countless_frames_few_are_kept():
    thread = Counter()
    ends = [thread._context.socket(zmq.PAIR) for _ in range(2)]
    ends[0].bind("inproc://ends")
    ends[1].connect("inproc://ends")
    ends[0].send_multipart([b"frame"] * 1000)
    ends[0].send_multipart([b"next"])
    frames, user = thread._receive_frames(ends[1])
    assert len(frames) == MAX_FRAMES + 2
    assert user == ""
    assert thread._receive_frames(ends[1])[0] == [b"next"]
    thread.close()
