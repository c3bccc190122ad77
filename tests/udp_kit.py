"""A joystick's bridge that sends over UDP."""

import socket
import struct
import threading

PERIOD_S = 0.01
N_AXES = 6


class Sender:
    """Repeats where six axes and four buttons stand, as a joystick's bridge does."""

    def __init__(self, port):
        self.numbers = [0.0] * 10
        self._port, self._ending = port, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread.start()

    def send(self, data):
        self._socket.sendto(data, ("127.0.0.1", self._port))

    def press(self, button):
        """Press a button and let it go."""
        for value in (1.0, 0.0):
            self.numbers[N_AXES + button] = value
            threading.Event().wait(5 * PERIOD_S)

    def stop(self):
        self._ending.set()
        self._thread.join()
        self._socket.close()

    def _run(self):
        while not self._ending.wait(PERIOD_S):
            self.send(struct.pack("<10f", *self.numbers))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
