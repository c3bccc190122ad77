"""A paired actor gone wrong, a process: spends its budget of errors, then sends junk for as long as it lives.

Arguments: the learner's address, the folder of its keys.
"""

import sys
import threading
from contextlib import closing, suppress
from dataclasses import replace

import zmq

from steadyhand.transport.peer_limits import MAX_WIRE_ERRORS
from tests.faults.peers import Hostile
from tests.transport_kit import CONFIG

PAUSE_S = 0.001

if __name__ == "__main__":
    address, keys_folder = sys.argv[1:]
    never = threading.Event()
    with closing(Hostile(address, replace(CONFIG, keys=keys_folder))) as hostile:
        for _ in range(MAX_WIRE_ERRORS):
            hostile.socket.send(b"junk")
        while not never.wait(PAUSE_S):
            with suppress(zmq.Again):  # it has been cut off
                hostile.socket.send(b"junk", zmq.NOBLOCK)
