from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.devices.mapping import MappingConfig, gripper_wish

MAPPING = MappingConfig(
    axes=(2, 0, -1, 5, 9, 4),
    scale=(1.0, -1.0, 1.0, 0.5, 1.0, 2.0),
    full_scale=100.0,
    dead_zone=0.2,
    buttons={"close": (0,), "open": (1,), "resume": (0, 1)},
)


def test_each_direction_has_its_axis_and_its_sign():
    twist = MAPPING.twist([100.0, 0.0, 100.0, 0.0, 0.0, 100.0])
    assert twist == pytest.approx([1.0, -1.0, 0.0, 0.5, 0.0, 0.0])


def test_beyond_the_dead_zone_a_twist_begins_at_zero():
    twists = [MAPPING.twist([0.0, 0.0, raw])[0] for raw in (20.0, 21.0, 60.0, 100.0)]
    assert twists == pytest.approx([0.0, 0.0125, 0.5, 1.0])
    assert MAPPING.twist([0.0, 0.0, -60.0])[0] == pytest.approx(-0.5)


def test_a_twist_is_never_beyond_one():
    twist = MAPPING.twist([900.0] * 6)
    assert np.abs(twist).max() == 1.0


def test_a_device_with_fewer_axes_stands_still_in_the_others():
    assert not MAPPING.twist([]).any()


@pytest.mark.parametrize(("held", "wish"), [(set(), 0.0), ({"close"}, -1.0), ({"open"}, 1.0), ({"close", "open"}, 0.0)])
def test_what_the_gripper_is_asked(held, wish):
    assert gripper_wish(frozenset(held)) == wish


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"axes": (0, 1, 2)}, "axes"),
        ({"axes": (0, 1, 2, 3, 4, -2)}, "axes"),
        ({"scale": (1.0,)}, "scale"),
        ({"full_scale": 0.0}, "full_scale"),
        ({"dead_zone": 1.0}, "dead_zone"),
        ({"buttons": {"shut": (0,)}}, "shut"),
        ({"buttons": {"close": ()}}, "close"),
    ],
)
def test_nonsense_is_refused_by_name(change, expected):
    with pytest.raises(ValueError, match=expected):
        replace(MAPPING, **change)


def test_a_reading_has_every_mapped_axis_as_a_finite_number():
    assert MAPPING.mapped_axes == (0, 2, 4, 5, 9)
    assert MAPPING.objection([0.0] * 10) == ""
    assert "expected at least 10 axes" in MAPPING.objection([0.0] * 9)
    assert "found 0" in MAPPING.objection([])
    for axis, bad in ((2, np.nan), (9, np.inf)):
        raw = [0.0] * 12
        raw[axis] = bad
        assert f"axis {axis}: expected a finite number, found {bad}" in MAPPING.objection(raw)
    assert MAPPING.objection([0.0, np.nan, 0.0, np.inf] + [0.0] * 6) == ""  # these two mean nothing
