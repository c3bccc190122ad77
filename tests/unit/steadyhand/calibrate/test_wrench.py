from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibrate.wrench import run
from steadyhand.cli import main
from steadyhand.robot_envs.frames import quat_inverse, quat_rotate
from steadyhand.runtime.config import compose
from steadyhand.settings import read_settings
from tests.cell_kit import (
    around,
    collected,
    mock_hardware,
    nothing_in,
    only_calibration,
    only_file,
    options,
    tilts,
    turned,
    weight_wrench,
)

MASS, CENTRE = 0.6, np.array([0.0, 0.02, -0.05])
BIAS = np.array([1.0, -0.5, 2.0, 0.0, 0.1, 0.0])
CELL = ["device=none", "task=reach"]
QUATS = turned(tilts(0.35))
POSES = np.concatenate([np.tile([0.5, 0.0, 0.2], (len(QUATS), 1)), QUATS], axis=1)


def wrenches(sign=1) -> np.ndarray:
    return np.array([sign * weight_wrench(quat, MASS, CENTRE) for quat in QUATS]) + BIAS


class Loaded:
    """A robot whose noisy sensor feels a payload with a sign, and a push along +x of the base after a time."""

    def __init__(self, mass_kg: float, sign: int = 1, push_at: int | None = None) -> None:
        self.mass_kg, self.sign, self.push_at, self.reads = mass_kg, sign, push_at, 0
        self.rng = np.random.default_rng(0)

    def __call__(self, state):
        self.reads += 1
        force = weight_wrench(state.tcp_pose[0, 3:], self.mass_kg, CENTRE)
        if self.push_at is not None and self.push_at <= self.reads < self.push_at + 8:
            force[:3] += quat_rotate(quat_inverse(state.tcp_pose[0, 3:]), np.array([12.0, 0.0, 0.0]))
        noise = self.rng.normal(0.0, 1.0, 6) * np.repeat([0.2, 0.005], 3)
        return replace(state, wrench=(BIAS + self.sign * force + noise)[None])


def measured(tmp_path, loaded: Loaded, push=None) -> int:
    chosen = options(tmp_path / "out", source=None, push=push, here=False)
    return run(chosen, CELL, around(mock_hardware("task=reach"), loaded))


def calibrate(tmp_path, *words: str, robot="crisp_fr3", **content) -> int:
    source = collected(tmp_path, **({"poses": POSES, "wrenches": wrenches()} | content))
    out = ["--out", str(tmp_path / "out")]
    return main(["calibrate", "wrench", "--from", source, *out, f"robot={robot}", *CELL, *words])


def test_the_arm_turns_in_place_and_weighs_its_payload(tmp_path):
    assert measured(tmp_path, Loaded(MASS)) == 0
    found = only_calibration(tmp_path / "out")
    assert found.values["mass_kg"] == pytest.approx(MASS, abs=0.03)
    assert found.values["centre_of_mass_m"] == pytest.approx(CENTRE, abs=0.02)
    assert found.values["sign"] == 1
    assert found.sets == {}  # only the profile of a robot behind ROS has a sign


def test_a_wrench_of_the_other_sign_is_found_by_its_weight(tmp_path, capsys):
    assert measured(tmp_path, Loaded(MASS, sign=-1)) == 0
    assert only_calibration(tmp_path / "out").values["sign"] == -1
    assert "turn it round in its class" in capsys.readouterr().out


@pytest.mark.parametrize("sign", [1, -1])
def test_a_robot_that_compensates_its_tool_needs_a_push(tmp_path, capsys, monkeypatch, sign):
    from steadyhand.calibrate import wrench

    loaded = Loaded(0.0, sign)
    say = wrench.say
    # The operator pushes after the request.
    monkeypatch.setattr(wrench, "say", lambda line: say(line) or _push(loaded, line))
    assert measured(tmp_path, loaded, push="+x") == 0
    found = only_calibration(tmp_path / "out")
    assert (found.values["sign"], found.values["centre_of_mass_m"]) == (sign, None)
    assert found.values["push_n"] == pytest.approx(12.0, abs=1.0)
    assert "the robot compensates its tool" in capsys.readouterr().out


def _push(loaded: Loaded, line: str) -> None:
    if line.startswith("push the tool along"):
        loaded.push_at = loaded.reads + 5


def test_without_a_push_a_compensated_tool_gives_no_sign(tmp_path, capsys):
    assert measured(tmp_path, Loaded(0.0)) == 0
    assert only_calibration(tmp_path / "out").values["sign"] is None
    assert "sign: not known; give --push" in capsys.readouterr().out


def test_a_compensation_that_is_a_little_too_large_is_no_reversed_sign(tmp_path, capsys):
    assert measured(tmp_path, Loaded(-0.13)) == 0
    found = only_calibration(tmp_path / "out").values
    assert (found["sign"], found["mass_kg"]) == (None, pytest.approx(0.13, abs=0.03))
    assert "sign: not known; give --push" in capsys.readouterr().out


def test_nothing_pushes_and_nothing_is_left_behind(tmp_path):
    with pytest.raises(Exception, match="expected a push of 5 N within 20 s, found none"):
        measured(tmp_path, Loaded(0.0), push="+x")
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize("sign", [1, -1])
def test_behind_ros_the_file_turns_the_profiles_sign(tmp_path, sign):
    assert calibrate(tmp_path, wrenches=wrenches(sign)) == 0
    use = f"calibration.files=[{only_file(tmp_path / 'out')}]"
    before = read_settings(compose(["robot=crisp_fr3", *CELL])).robot.profile.wrench.sign
    assert read_settings(compose(["robot=crisp_fr3", *CELL, use])).robot.profile.wrench.sign == sign * before


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [
        ({"wrenches": wrenches()[:3]}, [], "a wrench for each pose, found 8 and 3"),
        ({"poses": POSES[:4], "wrenches": wrenches()[:4]}, [], "at least 6 orientations, found 4"),
        ({"poses": np.tile(POSES[:1], (8, 1))}, [], "tilt the tool farther from upright"),
        ({}, ["--push", "+x"], "expected push_poses"),
        ({"push_poses": POSES, "push_wrenches": wrenches()}, ["--push", "+x"], "push harder"),
        ({}, ["calibrate.n_readings=0"], "n_readings: expected at least 1"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, content, words, expected):
    assert calibrate(tmp_path, *words, **content) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert nothing_in(tmp_path / "out")


def test_a_push_against_the_weight_is_refused(tmp_path, capsys):
    push = np.tile(np.concatenate([[0.5, 0.0, 0.2], turned([[0, 0, 0]])[0]]), (4, 1))
    felt = np.zeros((4, 6))
    felt[1:, 0] = -10.0  # the tool's x is the base's x
    assert calibrate(tmp_path, "--push", "+x", push_poses=push, push_wrenches=felt) == 2
    assert "expected one sign, found -1 by the push and 1 by a weight of 0.60 kg" in capsys.readouterr().err
