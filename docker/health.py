#!/usr/bin/env python3
"""Whether a container does its work: `health.py learner [host]` or `health.py actor`. Needs nothing but Python.

The learner is healthy while both of its ports take connections, the actor while it is connected to a learner.
"""

import os
import socket
import sys
from pathlib import Path

CONNECT_S = 2.0
ESTABLISHED = "01"  # in /proc/net/tcp
PORTS = (5555, 5556)


def main(words: list[str]) -> int:
    """Return 0 for healthy, 1 for not, 2 for a word that is not known."""
    ports = tuple(int(text) for text in os.environ.get("STEADYHAND_PORTS", "").split()) or PORTS
    match words:
        case ["learner"] | ["learner", _]:
            return 0 if learner_listens(ports, *words[1:]) else 1
        case ["actor"]:
            return 0 if actor_is_connected(ports) else 1
    sys.stderr.write(f"health.py: expected learner [host] or actor, found {' '.join(words) or 'nothing'}\n")
    return 2


def learner_listens(ports: tuple[int, ...], host: str = "127.0.0.1") -> bool:
    """Return whether somebody takes connections on every port."""
    try:
        for port in ports:
            socket.create_connection((host, port), CONNECT_S).close()
    except OSError:
        return False
    return True


def actor_is_connected(ports: tuple[int, ...], table: Path = Path("/proc/net/tcp")) -> bool:
    """Return whether this machine has a connection to a learner's port of records."""
    lines = [line.split() for line in table.read_text().splitlines()[1:]]
    return any(state == ESTABLISHED and _port(peer) == ports[0] for _, _, peer, state, *_ in lines)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
