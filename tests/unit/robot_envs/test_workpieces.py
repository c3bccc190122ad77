import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.workpieces import NotedWorkpieces


def test_what_was_placed_is_where_it_was_noted():
    workpieces, where = NotedWorkpieces(), frames.pose([0.5, 0.1, 0.2])
    workpieces.begin(1)
    workpieces.place("hole", where)
    assert workpieces.pose_of("hole") == pytest.approx(where)
    with pytest.raises(KeyError):
        workpieces.pose_of("peg")
