from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.transport import log_folder
from steadyhand.transport.log import LogReader
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.uplink import UplinkTimeout
from steadyhand.transport.weights import Weights, encode
from steadyhand.transport.wire import Status
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import (
    CONFIG,
    SCHEMA,
    connected_config,
    hello,
    intake_in,
    record,
    session_id,
    wait_until,
    writer_in,
)


class Link:
    """A learner that can be stopped and started on the same ports and folder, and one actor."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.server: ZmqServer | None = None
        self.start_learner()
        self.config = connected_config(self.server)
        self.writer = writer_in(folder / "actor")
        self.uplink = ZmqUplink(self.config, LogReader(folder / "actor"))

    def start_learner(self, folder: str = "learner", **options) -> None:
        config = CONFIG if self.server is None else self.config
        self.server = ZmqServer(intake_in(self.folder / folder, **options), config)

    def stop_learner(self, goodbye: bool = True) -> None:
        if not goodbye:
            self.server._peers = {}
        self.server.close()
        if goodbye:
            self.server.intake.close()

    def append(self, count: int) -> None:
        for _ in range(count):
            self.writer.append(record(step=self.writer.next_seq))
            self.uplink.notify()

    def stored(self) -> int:
        return self.server.intake.next_seq(session_id(0))

    def arrived(self) -> bool:
        return self.uplink.progress().next_seq == self.writer.next_seq == self.stored()

    def close(self) -> None:
        self.uplink.close()
        self.server.close()
        assert self.uplink.failure is None
        assert self.server.failure is None
        self.writer.close()


@pytest.fixture
def link(tmp_path) -> Iterator[Link]:
    link = Link(tmp_path)
    yield link
    link.close()


def steps(reader: LogReader) -> list[int]:
    reader.refresh()
    return reader.gather(np.arange(len(reader)), "step_index").tolist()


@pytest.mark.parametrize("goodbye", [True, False])
def test_a_learner_that_restarts_is_found_again_and_misses_nothing(link, goodbye):
    link.uplink.connect(hello(), 10.0)
    link.append(25)
    wait_until(link.arrived)
    link.stop_learner(goodbye)
    link.append(20)
    wait_until(lambda: not link.uplink.progress().connected)
    link.append(20)
    link.start_learner()
    wait_until(link.arrived)
    assert link.uplink.progress().connected
    assert steps(link.server.intake.readers()[0]) == list(range(65))


def test_an_actor_that_restarts_goes_on_in_the_same_session(link):
    link.uplink.connect(hello(), 10.0)
    link.append(13)
    link.uplink.close()  # before everything has arrived, perhaps
    link.writer.close()
    link.writer = writer_in(link.folder / "actor")
    link.uplink = ZmqUplink(link.config, LogReader(link.folder / "actor"))
    accept = link.uplink.connect(hello(), 10.0)
    assert 0 <= accept.next_seq <= 13
    link.append(5)
    wait_until(link.arrived)
    assert steps(link.server.intake.readers()[0]) == list(range(18))


def test_another_learner_with_an_empty_folder_gets_everything_again(link):
    link.uplink.connect(hello(), 10.0)
    link.append(25)
    wait_until(link.arrived)
    link.stop_learner()
    link.start_learner("another")
    wait_until(link.arrived)
    assert steps(link.server.intake.readers()[0]) == list(range(25))


def test_what_the_actor_lost_is_left_out_and_the_rest_arrives(link):
    link.append(35)
    link.writer.sync()
    log_folder.paths(link.folder / "actor")[1][1].unlink()
    link.uplink.connect(hello(), 10.0)
    wait_until(link.arrived)
    assert steps(link.server.intake.readers()[0]) == [*range(10), *range(20, 35)]


def test_no_learner_is_a_timeout_and_later_it_is_found(link):
    link.stop_learner()
    with pytest.raises(UplinkTimeout, match="steadyhand learn"):
        link.uplink.connect(hello(), 0.05)
    link.append(3)
    link.start_learner()
    link.uplink.connect(hello(), 10.0)
    wait_until(link.arrived)


def test_connect_waits_for_a_learner_that_comes_up_meanwhile(tmp_path):
    first = ZmqServer(intake_in(tmp_path / "learner"), CONFIG)
    config = connected_config(first)
    first.close()
    writer_in(tmp_path / "actor")
    uplink = ZmqUplink(config, LogReader(tmp_path / "actor"))
    uplink.start()
    second = ZmqServer(intake_in(tmp_path / "learner"), config)
    assert uplink.connect(hello(), 10.0).next_seq == 0
    uplink.close()
    second.close()


def test_a_rejected_session_can_be_introduced_again(link):
    link.server.intake.require(replace(SCHEMA, command_size=9))
    with pytest.raises(Rejected, match="command_size: expected 9, found 3"):
        link.uplink.connect(hello(), 10.0)
    assert not link.uplink.progress().connected
    link.stop_learner()
    link.start_learner()
    link.uplink.connect(hello(), 10.0)
    link.append(2)
    wait_until(link.arrived)


def test_two_actors_with_one_id_take_turns(link):
    link.uplink.connect(hello(), 10.0)
    writer_in(link.folder / "second", 2)
    second = ZmqUplink(link.config, LogReader(link.folder / "second"))
    with pytest.raises(Rejected, match=session_id(0)):
        second.connect(hello(2), 10.0)
    # The first one dies without a word: its thread stands still.
    link.uplink._leave = lambda: None
    link.uplink.close()
    refused = 0

    def accepted() -> bool:
        nonlocal refused
        try:
            second.connect(hello(2), 10.0)
        except Rejected:
            refused += 1
            return False
        return True

    wait_until(accepted)
    assert refused > 0
    second.close()


def test_weights_come_by_broadcast_and_on_connecting(link):
    def encoded(version: int) -> bytes:
        return encode(Weights(1, version, {"w": np.full(3, version, np.float32)}))

    link.server.publish(encoded(1))  # before anybody listens
    link.uplink.connect(hello(), 10.0)
    seen = []

    def newest() -> int:
        weights = link.uplink.latest_weights()
        if weights is not None:
            seen.append(weights.policy_version)
        return seen[-1] if seen else 0

    wait_until(lambda: newest() == 1)
    for version in range(2, 30):
        link.server.publish(encoded(version))
    wait_until(lambda: newest() == 29)
    assert seen == sorted(set(seen))
    assert link.uplink.latest_weights() is None


def test_weights_whose_broadcast_was_lost_are_asked_for(link):
    version = 0
    link.stop_learner()
    link.start_learner(status=lambda _: Status(0, version, -1, ""), learner_epoch=2)
    link.uplink._sub.disconnect(link.config.weights_address)  # as if the subscription came too late
    link.uplink.connect(hello(), 10.0)
    link.append(1)
    wait_until(link.arrived)  # what connecting asks for was answered, with nothing
    for newest in (1, 2):
        link.server.publish(encode(Weights(2, newest, {"w": np.zeros(3, np.float32)})))
        version = newest
        wait_until(lambda: link.uplink.latest_weights() is not None)
    assert link.uplink._weights.ignored == 0


def test_a_read_that_the_disk_refuses_breaks_the_link_and_it_comes_back(link, monkeypatch):
    """A refused read once ended the thread for good, and nothing was sent any more."""
    link.uplink.connect(hello(), 10.0)
    link.append(5)
    wait_until(link.arrived)
    refusals, real = iter([OSError(5, "Input/output error")] * 2), LogReader.refresh

    def refuse(reader: LogReader) -> int:
        for error in refusals:
            raise error
        return real(reader)

    monkeypatch.setattr(LogReader, "refresh", refuse)
    link.append(20)
    wait_until(link.arrived)
    assert next(refusals, None) is None
