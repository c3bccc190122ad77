"""F1: the actor dies, wherever that is. No record is lost or doubled, and at most the step that was under way."""

import pytest

from steadyhand.runtime.crashpoint import POINTS
from steadyhand.transport.segment import LogError
from tests.faults.crash_world import CrashWorld
from tests.faults.scale import FULL, spread

ACTOR_POINTS = [name for name, sides in POINTS.items() if "actor" in sides]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500 if FULL else 240)]


@pytest.fixture
def world(tmp_path):
    world = CrashWorld(tmp_path)
    yield world
    world.close()


def test_every_sealed_record_survives_the_actor_s_death_at_every_point(world, record_property):
    world.start("learner")
    for point in spread(ACTOR_POINTS, 4):
        # Late enough for a segment or two to be full, except where a start passes only once.
        world.crash_at("actor", point if point == "session.opened" else f"{point}@2")
    world.end()
    account = world.account()
    record_property("kills", world.kills["actor"])
    record_property("records", account.records)
    record_property("lost_steps", account.lost_steps)
    assert account.lost_steps <= world.kills["actor"]


def test_the_account_finds_a_record_that_is_missing_or_altered(world):
    """The check itself must fail where it ought to."""
    world.start("learner")
    world.end()
    (folder,) = world.run.log.iterdir()
    newest = max(folder.glob("*.segment"))
    world.account()
    newest.unlink()
    with pytest.raises((AssertionError, LogError)):  # the latter when it was the only segment
        world.account()
