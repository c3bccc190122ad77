"""A learner's intake and an actor's log with a bad network between them; real sockets, real logs."""

from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from steadyhand.transport.log import LogReader
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.tcp_proxy import TcpProxy
from tests.transport_kit import CLOCK, CONFIG, hello, intake_in, session_id, wait_until, write_episode, writer_in

FAST = float("inf")


class LinkWorld:
    """Ready to practise: the actor is connected through `records` and `weights`, two proxies."""

    def __init__(self, folder: Path, bytes_per_s: float = FAST, weights_bytes_per_s: float = FAST, **changes) -> None:
        self.config = replace(CONFIG, **changes)
        self._stack = ExitStack()
        self.intake = self._closing(intake_in(folder / "learner", config=self.config))
        self.server = self._closing(ZmqServer(self.intake, self.config))
        self.records = self._closing(TcpProxy(self.server.address, bytes_per_s))
        self.weights = self._closing(TcpProxy(self.server.weights_address, weights_bytes_per_s))
        self.writer = self._closing(writer_in(folder / "actor"))
        reaching = replace(self.config, address=self.records.address, weights_address=self.weights.address)
        self.uplink = self._closing(ZmqUplink(reaching, LogReader(self.writer.folder)))
        self.uplink.connect(hello(), 30.0)
        self._episodes = 0

    def practise(self, steps: int = 5) -> None:
        write_episode(self.writer, 0, self._episodes, steps)
        self._episodes += 1
        self.uplink.notify()

    def connected(self) -> bool:
        return self.uplink.progress().connected

    def all_there(self) -> bool:
        return self.intake.next_seq(session_id(0)) == self.writer.next_seq

    def lost(self) -> int:
        """Return how many records are missing or are not what was written."""
        (reader,) = self.intake.readers()
        reader.refresh()
        written, stored = LogReader(self.writer.folder), reader.read(0, len(reader))
        rows = written.read(0, len(written))
        same = sum(a.tobytes() == b.tobytes() for a, b in zip(rows, stored, strict=False))
        return max(len(rows), len(stored)) - same

    def seconds_until(self, condition, timeout_s: float = 60.0) -> float:
        began_ns = CLOCK.now_ns()
        wait_until(condition, timeout_s)
        return (CLOCK.now_ns() - began_ns) / 1e9

    def close(self) -> None:
        self._stack.close()

    def _closing(self, thing):
        return self._stack.enter_context(closing(thing))
