from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.nudge import NUDGES, NudgeSettings, mapping_from_nudges, nudge_from_samples
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose

SETTINGS = build(NudgeSettings, compose(["+calibrate=device"])["calibrate"], "calibrate")
DEVICES = ("spacemouse", "gamepad", "udp")
# The twist of the tool frame that each nudge asks for, of a person behind the robot.
WANTED = {name: sign * np.eye(6)[entry] for name, (entry, sign) in NUDGES.items()}


def shipped(device: str) -> MappingConfig:
    return build(MappingConfig, compose([f"device={device}"])["device"]["mapping"], "mapping")


def pushed(mapping: MappingConfig, twist, n_axes: int = 8) -> np.ndarray:
    """Return raw axes (n, n_axes) of a push and a release that the mapping turns into a twist."""
    raw = np.zeros(n_axes)
    for entry, axis in enumerate(mapping.axes):
        raw[axis] += 0.8 * mapping.full_scale * twist[entry] / mapping.scale[entry]
    return np.sin(np.linspace(0.3, np.pi - 0.3, 20))[:, None] * raw


def measured(mapping: MappingConfig, wanted=WANTED, rest=0.0):
    zero = np.full(8, rest)
    return {
        name: nudge_from_samples(name, zero + pushed(mapping, twist), zero, mapping.full_scale, SETTINGS)
        for name, twist in wanted.items()
    }


@pytest.mark.parametrize("device", DEVICES)
def test_six_nudges_give_the_mapping_of_the_device_whatever_was_set_before(device):
    true = shipped(device)
    before = replace(true, axes=(5, 4, 3, 2, 1, 0), scale=(1.0,) * 6)
    axes, scale = mapping_from_nudges(measured(true, rest=17.0), before, "behind")
    assert axes == true.axes
    assert scale == pytest.approx(true.scale)


@pytest.mark.parametrize("viewpoint", ["behind", "left", "facing", "right"])
def test_from_every_side_right_is_the_persons_right(viewpoint):
    true = shipped("spacemouse")
    axes, scale = mapping_from_nudges(measured(true), true, viewpoint)
    found = replace(true, axes=axes, scale=scale)
    # Of each viewpoint: forward and right of the person, in the tool frame (x away from the robot's base, y right).
    forward, right = {
        "behind": ((1, 0), (0, 1)),
        "left": ((0, 1), (-1, 0)),
        "facing": ((-1, 0), (0, -1)),
        "right": ((0, -1), (1, 0)),
    }[viewpoint]
    for name, expected in (("forward", forward), ("right", right)):
        twist = found.twist(pushed(true, WANTED[name])[10])
        assert np.sign(twist[:2]).tolist() == list(expected)
    # A tilt to the right turns about forward, a tilt forward about left.
    assert np.sign(found.twist(pushed(true, WANTED["tilt right"])[10])[3:5]).tolist() == list(forward)
    assert np.sign(found.twist(pushed(true, WANTED["tilt forward"])[10])[3:5]).tolist() == [-value for value in right]
    assert found.twist(pushed(true, WANTED["up"])[10])[2] < 0.0
    assert found.twist(pushed(true, WANTED["turn left"])[10])[5] < 0.0


def test_three_nudges_leave_the_other_directions():
    true = shipped("spacemouse")
    before = replace(true, scale=tuple(-value for value in true.scale))
    three = measured(true, {name: WANTED[name] for name in ("right", "up", "turn left")})
    axes, scale = mapping_from_nudges(three, before, "behind")
    assert axes == true.axes
    assert [scale[entry] / true.scale[entry] for entry in range(6)] == pytest.approx([-1, 1, 1, -1, -1, 1])


def test_a_size_of_the_scale_stays():
    true = shipped("spacemouse")
    _, scale = mapping_from_nudges(measured(true), replace(true, scale=(0.5,) * 6), "behind")
    assert np.abs(scale).tolist() == [0.5] * 6


def test_a_weak_nudge_and_one_of_two_axes_are_refused():
    true = shipped("spacemouse")
    with pytest.raises(CalibrationError, match=r"right: expected a deflection of at least 105, found .* on axis 0"):
        nudge_from_samples("right", 0.2 * pushed(true, WANTED["right"]), np.zeros(8), 350.0, SETTINGS)
    both = WANTED["right"] + 0.9 * WANTED["up"]
    with pytest.raises(CalibrationError, match=r"found axis 0 and axis 1 alike \(90%\); push in that direction alone"):
        nudge_from_samples("right", pushed(true, both), np.zeros(8), 350.0, SETTINGS)


def test_one_axis_for_two_directions_is_refused():
    true = shipped("spacemouse")
    nudges = measured(true)
    with pytest.raises(CalibrationError, match="found axis 0 for both"):
        mapping_from_nudges(nudges | {"up": nudges["right"]}, true, "behind")
    with pytest.raises(CalibrationError, match=r"entry 1 of mapping.axes, which was not nudged"):
        mapping_from_nudges({"up": nudges["right"]}, true, "behind")


@pytest.mark.parametrize("override", ["nudges=[]", "nudges=[sideways]", "nudges=[up,up]", "min_share=2", "poll_s=0"])
def test_numbers_out_of_range_are_refused(override):
    with pytest.raises(ConfigError, match=override.partition("=")[0]):
        build(NudgeSettings, compose(["+calibrate=device", f"calibrate.{override}"])["calibrate"], "calibrate")
