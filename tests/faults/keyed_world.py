"""A learner with keys, an actor that is paired with it, and ways to lose that."""

from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from steadyhand.transport import keys
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.log import LogReader
from steadyhand.transport.weights import Weights, encode
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import CLOCK, CONFIG, hello, intake_in, make_machine, pair, reaching, record, writer_in

MAX_ERROR_S = 1.0


class World:
    """A learner with keys, an actor `arm` that is paired with it, and room for others."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()
        self.learner, self.arm = make_machine(folder / "gpu"), make_machine(folder / "arm")
        pair(self.learner, self.arm)
        self.server = self.serve(self.learner)

    def serve(self, config: TransportConfig, **options) -> ZmqServer:
        server = ZmqServer(intake_in(self.folder / "learner", config=config, **options), config)
        self.stack.callback(server.intake.close)
        return self.stack.enter_context(closing(server))

    def uplink(self, config: TransportConfig, number: int = 0, records: int = 3) -> ZmqUplink:
        """Return an uplink over a log that has `records`, not yet connected."""
        folder = self.folder / f"log{number}"
        with closing(writer_in(folder, number)) as writer:
            for step in range(records):
                writer.append(record(step=step))
        uplink = ZmqUplink(reaching(config, self.server), LogReader(folder))
        self.stack.callback(lambda: uplink.failure is None or pytest.fail(str(uplink.failure)))
        return self.stack.enter_context(closing(uplink))

    def stored(self) -> int:
        return sum(reader.refresh() for reader in self.server.intake.readers())


def seconds_to(error: type[Exception], uplink: ZmqUplink, match: str, number: int = 0) -> float:
    """Return how long `connect` took to raise `error`."""
    began = CLOCK.now_ns()
    with pytest.raises(error, match=match) as caught:
        uplink.connect(hello(number), 10.0)
    assert "\n" not in str(caught.value)
    return (CLOCK.now_ns() - began) / 1e9


def unlisted(world: World) -> TransportConfig:
    config = make_machine(world.folder / "stranger")
    keys.pair_learner(config.keys_folder, keys.own_keys(world.learner.keys_folder).public)
    return config


def wrong_key(world: World) -> TransportConfig:
    keys.pair_learner(world.arm.keys_folder, keys.own_keys(make_machine(world.folder / "other").keys_folder).public)
    return world.arm


def plaintext(world: World) -> TransportConfig:
    return CONFIG


def revoked(world: World) -> TransportConfig:
    keys.revoke(world.learner.keys_folder, "arm")
    return world.arm


def weights_arrive(world: World, uplink: ZmqUplink, version: int) -> bool:
    world.server.publish(encode(Weights(0, version, {"w": np.zeros(3, np.float32)})))
    return uplink.latest_weights() is not None
