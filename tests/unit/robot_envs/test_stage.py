import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.stage import NotedStage


def test_what_was_placed_is_where_it_was_noted():
    stage, where = NotedStage(), frames.pose([0.5, 0.1, 0.2])
    stage.begin(1)
    stage.place("hole", where)
    assert stage.pose_of("hole") == pytest.approx(where)
    with pytest.raises(KeyError):
        stage.pose_of("peg")
