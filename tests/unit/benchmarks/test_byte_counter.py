import socket

from benchmarks.byte_counter import ByteCounter
from tests.transport_kit import wait_until


def test_every_byte_is_passed_on_and_counted_by_its_way():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counter = ByteCounter(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        port = int(counter.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as near, listener.accept()[0] as far:
            near.sendall(b"question")
            assert far.recv(100) == b"question"
            far.sendall(b"yes")
            assert near.recv(100) == b"yes"
            wait_until(lambda: (counter.up, counter.down) == (8, 3))
        counter.close()
