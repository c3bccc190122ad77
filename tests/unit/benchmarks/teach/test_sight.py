import numpy as np
import pytest

from benchmarks.teach.sight import PORT_VARIABLE, Sight
from tests.robot_kit import make_robot_env
from tests.transport_kit import wait_until


@pytest.fixture
def sight():
    sight = Sight()
    yield sight
    sight.close()


def test_the_person_sees_the_true_hole_and_the_product_gets_nothing_more(sight, monkeypatch):
    monkeypatch.setenv(PORT_VARIABLE, str(sight.port))
    env = make_robot_env("task=peg_insert", "robot.entry_point=benchmarks.teach.sight:SeenFr3")
    plain = make_robot_env("task=peg_insert")
    observation, info = env.reset(seed=3)
    assert sorted(observation) == sorted(plain.reset(seed=3)[0])
    wait_until(lambda: sight.ago(0.0) is not None)
    seen = sight.ago(0.0)
    # The environment's truth is made of the measured pose, which has noise.
    assert np.abs(seen.hole[:3] - info["truth"]["hole"][:3]).max() < 0.001
    first = seen.place
    env.reset(seed=4)
    wait_until(lambda: not np.array_equal(sight.ago(0.0).place, first))
    assert sight.ago(60.0) is None
    env.close()
    plain.close()
