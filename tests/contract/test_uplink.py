"""What every `Uplink` promises the actor, run against the one in process and the one over ZeroMQ."""

import gc
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steadyhand.transport.intake import Intake
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.uplink import Uplink
from steadyhand.transport.weights import Weights, encode
from steadyhand.transport.wire import Status
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import (
    CONFIG,
    SCHEMA,
    WRIST,
    connected_config,
    hello,
    intake_in,
    record,
    session_id,
    wait_until,
    write_episode,
    writer_in,
)


class LocalLearner:
    def __init__(self, folder: Path, **options) -> None:
        self.intake = intake_in(folder, **options)

    def uplink(self, log: Path) -> Uplink:
        reader = LogReader(log)
        reader.close()  # the uplink opens the log for itself
        return LocalUplink(self.intake, reader)

    def publish(self, weights: bytes) -> None:
        self.intake.publish(weights)

    def announce(self) -> None:
        pass

    def stop(self) -> None:
        self.intake.close()


class ZmqLearner:
    def __init__(self, folder: Path, **options) -> None:
        self.intake: Intake = intake_in(folder, **options)
        self.server = ZmqServer(self.intake, CONFIG)
        self.publish, self.announce = self.server.publish, self.server.announce

    def uplink(self, log: Path) -> Uplink:
        reader = LogReader(log)
        reader.close()
        return ZmqUplink(connected_config(self.server), reader)

    def stop(self) -> None:
        self.server.close()
        self.intake.close()
        assert self.server.failure is None


def encoded(epoch: int, version: int) -> bytes:
    return encode(Weights(epoch, version, {"w": np.full(3, version, np.float32)}))


@pytest.mark.parametrize("learner_kind", [LocalLearner, ZmqLearner], ids=["local", "zmq"])
class TestUplinkContract:
    @pytest.fixture
    def status(self) -> dict[str, Status]:
        return {"now": Status(0, 0, -1, "wait")}

    @pytest.fixture
    def learner(self, learner_kind, tmp_path, status) -> Iterator[LocalLearner | ZmqLearner]:
        learner = learner_kind(tmp_path / "learner", status=lambda session: status["now"], learner_epoch=3)
        yield learner
        learner.stop()

    @pytest.fixture
    def uplinks(self) -> Iterator[list[Uplink]]:
        uplinks: list[Uplink] = []
        yield uplinks
        for uplink in uplinks:
            uplink.close()

    @pytest.fixture
    def actor(self, learner, uplinks, tmp_path):
        """Return a function that makes the log and the uplink of session `number`."""

        def make(number: int = 0, **options):
            folder = tmp_path / f"actor{number}"
            writer = writer_in(folder, number, **options)
            uplinks.append(learner.uplink(folder))
            return writer, uplinks[-1]

        return make

    def test_the_learner_accepts(self, actor):
        _, uplink = actor()
        assert not uplink.progress().connected
        accept = uplink.connect(hello(), 10.0)
        assert accept.policy_spec == {"action_size": 2}
        assert (accept.learner_epoch, accept.next_seq) == (3, 0)
        assert uplink.progress().connected

    def test_records_arrive_once_in_order_and_unchanged(self, actor, learner):
        writer, uplink = actor()
        for episode in range(3):
            write_episode(writer, 0, episode, 20)
        uplink.connect(hello(), 10.0)
        for episode in range(3, 6):
            write_episode(writer, 0, episode, 20, "truncated")
            uplink.notify()
        wait_until(lambda: uplink.progress().next_seq == writer.next_seq == 126)
        (stored,) = learner.intake.readers()
        stored.refresh()
        assert stored.frame(0, len(stored)) == LogReader(writer.folder).frame(0, 126)
        assert (stored.actor_id, stored.session_id) == ("arm", session_id(0))

    def test_every_record_is_announced_to_the_learner_once(self, actor, learner):
        writer, uplink = actor()
        seen = []
        learner.intake.sinks.append(lambda session, first, end: seen.extend(range(first, end)))
        uplink.connect(hello(), 10.0)
        for _ in range(50):
            writer.append(record())
            uplink.notify()
        wait_until(lambda: uplink.progress().next_seq == 50)
        assert seen == list(range(50))

    def test_another_schema_is_rejected_with_a_readable_difference(self, actor, learner):
        learner.intake.require(SCHEMA)
        other = replace(SCHEMA, observation=(SCHEMA.observation[0], replace(WRIST, shape=(2, 2, 3))))
        _, uplink = actor(schema=other)
        with pytest.raises(Rejected, match=r"observation wrist: shape: expected \(4, 6, 3\), found \(2, 2, 3\)"):
            uplink.connect(hello(schema=other), 10.0)
        assert not uplink.progress().connected

    def test_a_second_session_of_a_living_actor_is_rejected_naming_the_holder(self, actor):
        _, first = actor(1)
        _, second = actor(2)
        first.connect(hello(1), 10.0)
        with pytest.raises(Rejected, match=session_id(1)):
            second.connect(hello(2), 10.0)
        first.close()

        def accepted() -> bool:
            try:
                second.connect(hello(2), 10.0)
            except Rejected:
                return False
            return True

        wait_until(accepted)

    def test_a_later_learner_on_the_same_folder_goes_on(self, actor, learner, learner_kind, tmp_path):
        writer, uplink = actor()
        write_episode(writer, 0, 0, 10)
        uplink.connect(hello(), 10.0)
        wait_until(lambda: uplink.progress().next_seq == 11)
        uplink.close()
        learner.stop()
        write_episode(writer, 0, 1, 10)
        later = learner_kind(tmp_path / "learner")
        again = later.uplink(writer.folder)
        assert again.connect(hello(), 10.0).next_seq == 11
        wait_until(lambda: again.progress().next_seq == 22)
        again.close()
        later.stop()

    def test_progress_is_what_the_learner_says(self, actor, learner, status):
        _, uplink = actor()
        status["now"] = Status(0, 0, 10, "collect")
        uplink.connect(hello(), 10.0)
        assert uplink.progress().transitions_allowed == 10
        status["now"] = Status(40, 5, 25, "train")
        learner.announce()
        wait_until(lambda: uplink.progress().transitions_allowed == 25)
        progress = uplink.progress()
        assert (progress.updates, progress.policy_version, progress.learner_phase) == (40, 5, "train")

    def test_weights_are_the_newest_and_given_once(self, actor, learner):
        _, uplink = actor()
        learner.publish(encoded(3, 1))
        uplink.connect(hello(), 10.0)
        taken: list[Weights] = []

        def newest(epoch: int, version: int) -> bool:
            weights = uplink.latest_weights()
            if weights is not None:
                taken.append(weights)
            return bool(taken) and (taken[-1].learner_epoch, taken[-1].policy_version) == (epoch, version)

        wait_until(lambda: newest(3, 1))
        learner.publish(encoded(3, 2))
        learner.publish(encoded(3, 5))
        wait_until(lambda: newest(3, 5))
        assert uplink.latest_weights() is None
        learner.publish(encoded(3, 4))  # older
        learner.publish(b"damaged")
        learner.publish(encoded(4, 0))
        wait_until(lambda: newest(4, 0))
        numbers = [(weights.learner_epoch, weights.policy_version) for weights in taken]
        assert numbers == sorted(set(numbers))
        np.testing.assert_array_equal(taken[-1].tensors["w"], np.zeros(3, np.float32))

    def test_the_hello_of_another_session_is_refused(self, actor):
        _, uplink = actor()
        with pytest.raises(ValueError, match=session_id(0)):
            uplink.connect(hello(1), 10.0)
        uplink.connect(hello(), 10.0)

    def test_closing_without_connecting_leaves_no_file_open(self, actor, learner, tmp_path):
        writer, _ = actor()
        writer.sync()  # after which the next segment is open too
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(closed := 6):
            learner.uplink(tmp_path / "actor0").close()
            gc.collect()
        # Other threads of the process open files too, but not as many as even one left open by each would be.
        wait_until(lambda: len(os.listdir("/proc/self/fd")) < before + closed // 2)

    def test_closing_twice_and_notifying_after_it_are_harmless(self, actor):
        writer, uplink = actor()
        uplink.connect(hello(), 10.0)
        uplink.close()
        uplink.close()
        writer.append(record())
        uplink.notify()
