"""F2: the learner dies, wherever that is. No record is lost or doubled, no step either, and the robot goes on."""

import pytest

from steadyhand.runtime.crashpoint import POINTS
from tests.faults.crash_world import CrashWorld
from tests.faults.scale import FULL, spread

LEARNER_POINTS = [name for name, sides in POINTS.items() if "learner" in sides]
SELDOM = ("epoch.counted", "intake.opened", "checkpoint.")  # a start passes them once, or not often

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800 if FULL else 240)]


@pytest.fixture
def world(tmp_path):
    world = CrashWorld(tmp_path)
    yield world
    world.close()


def test_every_sealed_record_survives_the_learner_s_death_at_every_point(world, record_property):
    world.start("learner")
    actor = world.start("actor")
    world.wait_for("practice", lambda: world.env_steps() > 40)
    world.kill("learner")
    for point in spread(LEARNER_POINTS, 5):
        world.crash_at("learner", point if point.startswith(SELDOM) else f"{point}@2")
        assert actor.poll() is None
    world.end()
    account = world.account()
    record_property("kills", world.kills["learner"])
    record_property("records", account.records)
    record_property("lost_steps", account.lost_steps)
    assert account.lost_steps == 0
    epochs = [row["learner_epoch"] for row in world.rows()]
    assert epochs == sorted(epochs)
