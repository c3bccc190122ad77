"""A shorter day of bad luck for real processes: an actor, a learner, the network between them, and a peer with junk."""

from __future__ import annotations

import random
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import CLOCK
from tests.faults.crash_world import CrashWorld
from tests.faults.hostile_messages import FROM_ACTOR, JUNK, mutated
from tests.faults.peers import Hostile
from tests.tcp_proxy import TcpProxy

__all__ = ["KINDS", "ProcessTally", "live_for_real"]

KINDS = ("kill actor", "kill learner", "cut", "junk")
SHORTEST_S, LONGEST_S = 0.5, 4.0  # between two faults
CUT_S, PROBE_S = 1.5, 1.0
JUNK_MESSAGES = 50
NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class ProcessTally:
    """The account of real processes, against the list that the robot kept of what it showed.

    Its reader raises an error if a record is missing, doubled, out of order, or has other bytes.

    Attributes:
        records: Records in the learner's log.
        open_steps: Steps that the robot had begun when its actor was killed: no record tells of them.
        faults: Number of the faults of each kind.
        seconds: Wall time [s].
    """

    records: int
    open_steps: int
    faults: Counter[str]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "faults": dict(sorted(self.faults.items())), "seconds": round(self.seconds, 1)}


class ProxiedWorld(CrashWorld):
    """A run of real processes whose actor reaches its learner through a network that can be cut."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._own_ports = list(self.ports)
        self.proxies = [TcpProxy(f"tcp://127.0.0.1:{port}") for port in self._own_ports]

    def start(self, role: str, crash: str = "") -> Any:
        """Start a role; the actor gets the ports of the network."""
        through = [proxy.address.rpartition(":")[2] for proxy in self.proxies]
        self.ports = through if role == "actor" else self._own_ports
        return super().start(role, crash)

    def listens(self) -> bool:
        """Return whether the learner takes connections."""
        try:
            socket.create_connection(("127.0.0.1", int(self._own_ports[0])), PROBE_S).close()
        except OSError:
            return False
        return True

    def start_again(self, role: str) -> None:
        """Start a killed role; an actor only when the learner listens, as it waits for it for a limited time."""
        if role == "actor":
            self.wait_for("the learner to listen", self.listens)
        self.start(role)

    def close(self) -> None:
        """End the processes and the network."""
        super().close()
        for proxy in self.proxies:
            proxy.close()

    def cut(self) -> None:
        """Cut all connections for a moment."""
        for proxy in self.proxies:
            proxy.cut()
        _sleep(CUT_S)
        for proxy in self.proxies:
            proxy.restore()

    def junk(self, draw: random.Random) -> None:
        """Send mutated messages to the learner, from a connection that never says HELLO."""
        messages = [*FROM_ACTOR[1:], *JUNK]
        with closing(Hostile(f"tcp://127.0.0.1:{self._own_ports[0]}")) as peer:
            for _ in range(JUNK_MESSAGES):
                peer.socket.send_multipart(mutated(draw, messages) or [b""])


def live_for_real(faults: int, seed: int) -> ProcessTally:
    """Let a run live through `faults` faults, and return the account.

    Raises:
        AssertionError: The account does not hold, or a process ended by itself.
    """
    draw, done, began_ns = random.Random(seed), Counter[str](), CLOCK.now_ns()
    with _world() as world:
        for role in ("learner", "actor"):
            world.start_again(role)
        world.wait_for("practice", lambda: world.env_steps() > 0)
        for kind in _kinds(draw, faults):
            _sleep(draw.uniform(SHORTEST_S, LONGEST_S))
            done[kind] += 1
            if kind == "cut":
                world.cut()
            elif kind == "junk":
                world.junk(draw)
            else:
                role = kind.split()[1]
                world.kill(role)
                world.start_again(role)
        world.wait_for("the learner to listen", world.listens)
        world.end()
        found = world.account()
        if found.lost_steps > done["kill actor"]:
            raise AssertionError(f"expected at most a step a kill to be lost, found {found.lost_steps}; seed {seed}")
        return ProcessTally(found.records, found.lost_steps, done, (CLOCK.now_ns() - began_ns) / NS_PER_S)


def _kinds(draw: random.Random, faults: int) -> list[str]:
    """Return the faults in a drawn order; the kinds are as even as their number allows."""
    kinds = [KINDS[place % len(KINDS)] for place in range(faults)]
    draw.shuffle(kinds)
    return kinds


@contextmanager
def _world() -> Iterator[ProxiedWorld]:
    with tempfile.TemporaryDirectory(prefix="day-") as folder:
        world = ProxiedWorld(Path(folder))
        try:
            yield world
        finally:
            world.close()


def _sleep(seconds: float) -> None:
    CLOCK.sleep_until(CLOCK.now_ns() + round(seconds * NS_PER_S))
