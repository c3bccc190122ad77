"""Checks of the two ports between actor and learner."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok

__all__ = ["CHECKS", "Process", "is_learner", "listener"]

LISTENING = "0A"  # in /proc/net/tcp
CONNECT_S = 1.0
SHOWN = 80  # characters of a command line
COMMAND = "steadyhand"


def check_records_port(config: Mapping[str, Any]) -> Finding:
    """Check the port at which the learner receives records."""
    return _check("port of records", "transport.address", str(config["transport"]["address"]))


def check_weights_port(config: Mapping[str, Any]) -> Finding:
    """Check the port at which the learner broadcasts weights."""
    return _check("port of weights", "transport.weights_address", str(config["transport"]["weights_address"]))


def _check(name: str, key: str, address: str) -> Finding:
    host, _, port = address.replace("tcp://*", "tcp://0.0.0.0").removeprefix("tcp://").rpartition(":")
    if not address.startswith("tcp://") or not host or not port.isdigit():
        return broken(name, f"{address} is no address", f"write {key}=tcp://127.0.0.1:5555")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
            return ok(name, f"{address} is free: a learner may listen here")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return _check_remote(name, key, address, host, int(port))
    found = listener(int(port))
    who = f"process {found.pid}: {' '.join(found.words)}"[:SHOWN] if found else "a process that only root may see"
    if found and is_learner(found.words):
        return ok(name, f"{address}: a learner listens ({who})")
    mend = f"end that process, or choose another port with {key}=tcp://{host}:{int(port) + 10}"
    return broken(name, f"{address} is in use by {who}", mend)


def _check_remote(name: str, key: str, address: str, host: str, port: int) -> Finding:
    """Check that a process listens at an address of another machine."""
    try:
        with socket.create_connection((host, port), CONNECT_S):
            return ok(name, f"{address}: a process listens")
    except socket.gaierror:
        return broken(name, f"{address}: there is no machine called {host}", f"correct {key}")
    except OSError as error:
        found = f"{address}: no answer ({error.strerror or error})"
        return note(name, found, "start `steadyhand learn` there first, and let its firewall pass the port")


@dataclass(frozen=True)
class Process:
    """A running process: its id and the words of its command line."""

    pid: int
    words: tuple[str, ...]


def is_learner(words: Sequence[str]) -> bool:
    """Return whether a command line runs `steadyhand learn`.

    Only the words that name the program count, because a folder in its path may also be called steadyhand.
    """
    program = [*words]
    while program and Path(program[0]).name != COMMAND:
        # Only an interpreter and its options may precede the script; any other first word is another program.
        if not (Path(program[0]).name.startswith("python") or program[0].startswith("-")):
            return False
        program = program[1:]
    return program[1:2] == ["learn"]


def listener(port: int) -> Process | None:
    """Return the process that listens on a TCP port; None if this user cannot see it."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(os.readlink(entry) in sockets for entry in (folder / "fd").iterdir()):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
                return Process(int(folder.name), tuple(words))
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return found


CHECKS = (check_records_port, check_weights_port)
