import pytest

from steadyhand.robot_envs.mock.workpieces import SceneError, workpiece_xml


def test_unknown_kind_names_those_there_are():
    with pytest.raises(SceneError, match="square_hole"):
        workpiece_xml({"kind": "round_hole"})


def test_wrong_sizes_name_the_workpiece():
    with pytest.raises(SceneError, match="square_hole"):
        workpiece_xml({"kind": "square_hole", "diameter_m": 0.02})
