"""F8: the link carries far less than is recorded. The log takes the rest, weights are the newest, nothing is lost."""

import numpy as np
import pytest

from steadyhand.transport.weights import Weights, encode
from tests.faults.link_world import LinkWorld
from tests.transport_kit import CLOCK, wait_until

BYTES_PER_S, WEIGHTS_BYTES_PER_S = 100_000, 400_000
TENSOR = np.zeros(50_000, np.float32)  # 200 kB, half a second on the link
LINK = {"heartbeat_s": 1.0, "liveness_heartbeats": 20, "max_weights_bytes": 1 << 20, "window_records": 64}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def slow(tmp_path):
    world = LinkWorld(tmp_path, BYTES_PER_S, WEIGHTS_BYTES_PER_S, **LINK)
    yield world
    world.close()


def test_the_log_takes_what_the_link_cannot_and_all_of_it_arrives(slow, record_property):
    began_ns = CLOCK.now_ns()
    for _ in range(40):
        slow.practise(40)
    practised_s = (CLOCK.now_ns() - began_ns) / 1e9
    under_way = slow.uplink._outbox.sender.under_way
    took_s = slow.seconds_until(slow.all_there, 90.0)
    assert under_way <= LINK["window_records"]
    # The link needs its time, and practice did not wait for it.
    link_s = slow.writer.next_seq * slow.writer.dtype.itemsize / BYTES_PER_S
    assert practised_s + took_s >= 0.8 * link_s
    assert slow.lost() == 0
    record_property("records", slow.writer.next_seq)
    record_property("lost", 0)
    assert slow.connected()


def published_and_seen(world, count: int) -> list[int]:
    """Publish `count` policies far faster than the link; return those that the actor saw, in order."""
    seen = []

    def look():
        weights = world.uplink.latest_weights()
        if weights is not None:
            seen.append(weights.policy_version)
        return bool(seen) and seen[-1] == count

    for version in range(1, count + 1):
        world.server.publish(encode(Weights(0, version, {"w": TENSOR + version})))
        look()
        CLOCK.sleep_until(CLOCK.now_ns() + 20_000_000)
    wait_until(look, 60.0)
    return seen


def test_weights_that_have_been_overtaken_are_skipped(slow, record_property):
    seen = published_and_seen(slow, 40)
    assert seen == sorted(set(seen))
    assert seen[-1] == 40
    record_property("skipped_weights", 40 - len(seen))
    assert len(seen) <= 20


def test_weights_that_have_the_time_are_all_seen(tmp_path):
    """Skipping must be the slow link's doing."""
    world = LinkWorld(tmp_path, **LINK)
    try:
        for version in range(1, 6):
            world.server.publish(encode(Weights(0, version, {"w": TENSOR + version})))
            wait_until(lambda: (found := world.uplink.latest_weights()) and found.policy_version == version, 30.0)  # noqa: B023
    finally:
        world.close()
