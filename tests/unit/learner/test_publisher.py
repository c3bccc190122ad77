import threading

import numpy as np
import pytest

from steadyhand.learner.publisher import Publisher
from steadyhand.transport import weights as weights_codec
from steadyhand.transport.weights import WeightsError
from tests.transport_kit import wait_until

TENSORS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}


class Wire:
    """Takes messages, and may be told to wait with the first one."""

    def __init__(self, blocked=False):
        self.raw, self.entered, self.go_on = [], threading.Event(), threading.Event()
        if not blocked:
            self.go_on.set()

    def send(self, raw):
        self.entered.set()
        assert self.go_on.wait(10.0)
        self.raw.append(raw)

    @property
    def versions(self):
        return [weights_codec.decode(raw).policy_version for raw in self.raw]


def test_weights_arrive_as_they_were_given():
    wire = Wire()
    publisher = Publisher(wire.send, learner_epoch=3)
    publisher.publish(7, TENSORS)
    wait_until(lambda: wire.raw)
    weights = weights_codec.decode(wire.raw[0])
    assert (weights.learner_epoch, weights.policy_version) == (3, 7)
    np.testing.assert_array_equal(weights.tensors["w"], TENSORS["w"])
    publisher.close()


def test_training_does_not_wait_and_only_the_newest_is_sent():
    wire = Wire(blocked=True)
    publisher = Publisher(wire.send, 0)
    publisher.publish(1, TENSORS)
    assert wire.entered.wait(10.0)
    for version in (2, 3, 4):
        publisher.publish(version, TENSORS)  # returns although the first one is not gone
    wire.go_on.set()
    publisher.close()
    assert wire.versions == [1, 4]


def test_closing_sends_what_waits():
    wire = Wire()
    publisher = Publisher(wire.send, 0)
    publisher.publish(1, TENSORS)
    publisher.close()
    assert wire.versions == [1]


def test_closing_without_weights_ends():
    Publisher(Wire().send, 0).close()


@pytest.mark.parametrize("broken", [np.array([np.nan], np.float32), np.array([np.inf], np.float32)])
def test_what_cannot_be_sent_is_kept_as_the_failure(broken):
    wire = Wire()
    publisher = Publisher(wire.send, 0)
    publisher.publish(1, {"w": broken})
    wait_until(lambda: publisher.failure)
    assert isinstance(publisher.failure, WeightsError)
    publisher.publish(2, TENSORS)
    publisher.close()
    assert wire.raw == []
