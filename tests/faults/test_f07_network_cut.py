"""F7: the network is cut, or swallows everything, or one way only. It is noticed, and nothing is lost."""

import pytest

from steadyhand.transport.weights import Weights, encode
from tests.faults.link_world import LinkWorld
from tests.transport_kit import CLOCK, wait_until

HEARTBEAT_S, LIVENESS = 0.4, 3  # the product's own three heartbeats of silence
LINK = {"heartbeat_s": HEARTBEAT_S, "liveness_heartbeats": LIVENESS}
# What breaks, and the heartbeats after which the actor must know: the silence, and one that was under way.
BREAKS = {
    "cut": (lambda proxy: proxy.cut(), LIVENESS + 1),
    "blackhole": (lambda proxy: proxy.blackhole(), LIVENESS + 1),
    "no answer": (lambda proxy: proxy.blackhole("down"), LIVENESS + 1),
    # The learner goes on speaking until it has given the actor up.
    "nothing arrives": (lambda proxy: proxy.blackhole("up"), 2 * LIVENESS + 1),
}
BUSY_S = 2.0  # what a busy machine may add

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(180)]


@pytest.fixture
def world(tmp_path):
    world = LinkWorld(tmp_path, **LINK)
    yield world
    world.close()


@pytest.mark.parametrize("name", BREAKS)
def test_it_is_noticed_and_all_is_delivered_once_the_network_is_back(world, name, record_property):
    world.practise()
    wait_until(world.all_there, 30.0)
    happen, at_most = BREAKS[name]
    happen(world.records)
    world.practise(40)
    took_s = world.seconds_until(lambda: not world.connected())
    record_property("detection_heartbeats", took_s / HEARTBEAT_S)
    assert took_s <= at_most * HEARTBEAT_S + BUSY_S
    # Practice goes on meanwhile: the log takes everything.
    for _ in range(5):
        world.practise(20)
    assert not world.all_there()
    world.records.restore()
    record_property("catch_up_s", world.seconds_until(world.all_there))
    wait_until(world.connected, 30.0)
    assert world.lost() == 0
    record_property("lost", 0)


def test_weights_come_again_after_a_cut(world):
    world.weights.cut()
    world.records.cut()
    wait_until(lambda: not world.connected(), 30.0)
    world.server.publish(encode(Weights(0, 8, {})))
    world.weights.restore()
    world.records.restore()
    wait_until(lambda: (found := world.uplink.latest_weights()) is not None and found.policy_version == 8, 30.0)


def test_a_network_that_is_well_is_never_taken_for_dead(world):
    until_ns = CLOCK.now_ns() + int(2 * LIVENESS * HEARTBEAT_S * 1e9)
    lost = 0
    while CLOCK.now_ns() < until_ns:
        lost += not world.connected()
        CLOCK.sleep_until(CLOCK.now_ns() + 10_000_000)
    assert lost == 0


def test_without_heartbeats_a_blackhole_would_go_unnoticed(tmp_path):
    world = LinkWorld(tmp_path, heartbeat_s=HEARTBEAT_S, liveness_heartbeats=1000)
    try:
        world.records.blackhole()
        until_ns = CLOCK.now_ns() + int(2 * LIVENESS * HEARTBEAT_S * 1e9)
        CLOCK.sleep_until(until_ns)
        assert world.connected()
    finally:
        world.close()
