#!/usr/bin/env python3
"""Health of a container: `health.py learner [host]`, `health.py actor` or `health.py nodes`. Needs nothing but Python.

learner: a process of this container listens on both ports, and they take connections.
actor: a process of this container is connected to a learner's port of records.
nodes: the actor's and the watchdog's node run in this container.

On the host's network a container sees the connections of the whole machine: only those of its own processes count.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

CONNECT_S = 2.0
ESTABLISHED, LISTENING = "01", "0A"  # in /proc/net/tcp
PORTS = (5555, 5556)
NODES = ("actor_node", "watchdog_node")
PROC = Path("/proc")


def main(words: list[str]) -> int:
    """Return 0 for healthy, 1 for not, 2 for a word that is not known."""
    ports = tuple(int(text) for text in os.environ.get("STEADYHAND_PORTS", "").split()) or PORTS
    match words:
        case ["learner"] | ["learner", _]:
            return 0 if learner_listens(ports, *words[1:]) else 1
        case ["actor"]:
            return 0 if actor_is_connected(ports) else 1
        case ["nodes"]:
            return 0 if nodes_run() else 1
    sys.stderr.write(f"health.py: expected learner [host], actor or nodes, found {' '.join(words) or 'nothing'}\n")
    return 2


def learner_listens(ports: tuple[int, ...], host: str = "127.0.0.1") -> bool:
    """Return whether a process of this container takes connections on every port."""
    own = {_port(local) for local, _, state in _own_connections() if state == LISTENING}
    try:
        for port in ports:
            socket.create_connection((host, port), CONNECT_S).close()
    except OSError:
        return False
    return own >= set(ports)


def actor_is_connected(ports: tuple[int, ...]) -> bool:
    """Return whether a process of this container has a connection to a learner's port of records."""
    return any(state == ESTABLISHED and _port(peer) == ports[0] for _, peer, state in _own_connections())


def nodes_run() -> bool:
    """Return whether every node that a robot needs is a running process of this container."""
    running = {Path(word).name for words in _commands() for word in words}
    return running >= set(NODES)


def _own_connections() -> Iterator[tuple[str, str, str]]:
    """Yield local address, peer and state of every TCP socket that a process of this container holds."""
    own = set()
    for descriptor in PROC.glob("[0-9]*/fd/*"):
        try:
            own.add(os.readlink(descriptor))
        except OSError:  # it has just been closed, or is another user's
            continue
    for line in (PROC / "net/tcp").read_text().splitlines()[1:]:
        _, local, peer, state, _, _, _, _, _, inode, *_ = line.split()
        if f"socket:[{inode}]" in own:
            yield local, peer, state


def _commands() -> Iterator[list[str]]:
    for folder in PROC.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()  # empty for one that has ended
        except OSError:
            continue
        yield [os.fsdecode(word) for word in command.split(b"\0")[:2]]  # the interpreter and its script


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
