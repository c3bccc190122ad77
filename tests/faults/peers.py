"""Two who connect to a learner: one that keeps to the protocol, and one that need not."""

from pathlib import Path

import zmq

from steadyhand.transport import keys
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.log import LogReader
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import CLOCK, CONFIG, connected_config, hello, record, wait_until, writer_in


class Hostile:
    """A bare connection that sends whatever it is given."""

    def __init__(self, address: str, config: TransportConfig = CONFIG) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.SNDTIMEO, 10_000)
        if config.keys_folder is not None:
            own = keys.own_keys(config.keys_folder)
            self.socket.curve_serverkey = keys.learner_key(config.keys_folder)
            self.socket.curve_publickey, self.socket.curve_secretkey = own.public, own.secret
        self.socket.connect(address)

    def close(self) -> None:
        self.context.destroy(linger=0)


class Honest:
    """An actor with a log, on a connection of its own."""

    def __init__(self, server: ZmqServer, folder: Path, config: TransportConfig | None = None) -> None:
        settings = config or connected_config(server)
        self.writer = writer_in(folder, segment_bytes=settings.segment_bytes)
        self.uplink = ZmqUplink(settings, LogReader(folder))
        self.uplink.connect(hello(), 10.0)

    def send(self, count: int) -> float:
        """Append `count` records and return the seconds until all of them are acknowledged."""
        began = CLOCK.now_ns()
        for _ in range(count):
            self.writer.append(record(step=self.writer.next_seq))
            self.uplink.notify()
        wait_until(lambda: self.uplink.progress().next_seq == self.writer.next_seq)
        return (CLOCK.now_ns() - began) / 1e9

    def close(self) -> None:
        self.uplink.close()
        self.writer.close()
        assert self.uplink.failure is None
