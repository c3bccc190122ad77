"""The two ports between actor and learner."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok

__all__ = ["CHECKS", "listener"]

LISTENING = "0A"  # in /proc/net/tcp
CONNECT_S = 1.0
SHOWN = 80  # characters of a command line


def check_records_port(config: Mapping[str, Any]) -> Finding:
    """Where the learner takes records."""
    return _check("port of records", "transport.address", str(config["transport"]["address"]))


def check_weights_port(config: Mapping[str, Any]) -> Finding:
    """Where the learner broadcasts weights."""
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
    who = listener(int(port))
    if "steadyhand" in who:
        return ok(name, f"{address}: a learner listens ({who[:SHOWN]})")
    mend = f"end that process, or choose another port with {key}=tcp://{host}:{int(port) + 10}"
    return broken(name, f"{address} is in use by {who[:SHOWN] or 'a process that only root may see'}", mend)


def _check_remote(name: str, key: str, address: str, host: str, port: int) -> Finding:
    """The address is another machine's: see whether somebody listens there."""
    try:
        with socket.create_connection((host, port), CONNECT_S):
            return ok(name, f"{address}: somebody listens")
    except socket.gaierror:
        return broken(name, f"{address}: there is no machine called {host}", f"correct {key}")
    except OSError as error:
        found = f"{address}: nobody answers ({error.strerror or error})"
        return note(name, found, "start `steadyhand learn` there first, and let its firewall pass the port")


def listener(port: int) -> str:
    """Return the command line of the process that listens on a TCP port; "" when it is not ours to see."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(os.readlink(entry) in sockets for entry in (folder / "fd").iterdir()):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                return f"process {folder.name}: {' '.join(words).strip()}"
    return ""


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
