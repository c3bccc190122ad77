from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibrate.gripper import run
from steadyhand.cli import main
from steadyhand.robot_envs.make import make_env
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
)

CELL = ["device=none", "task=pick_place"]


def measured(tmp_path, read, **chosen) -> int:
    choice = options(tmp_path / "out", **({"source": None, "open_m": None, "closed_m": None, "here": False} | chosen))
    return run(choice, CELL, around(mock_hardware("task=pick_place"), read))


def narrow(state):
    """A hand that opens to 60 mm only."""
    return replace(state, gripper_width=0.75 * state.gripper_width)


def test_an_action_opens_as_far_as_the_gripper_does(tmp_path):
    assert measured(tmp_path, narrow) == 0
    assert only_calibration(tmp_path / "out").sets == {"task.drive.gripper_open_m": pytest.approx(0.06, abs=0.001)}
    commanded = {}
    for name, words in (("file", [f"calibration.files=[{only_file(tmp_path / 'out')}]"]), ("default", [])):
        env = make_env(compose([*CELL, *words]), 0)
        env.reset(seed=0)
        env.step(np.array([0, 0, 0, 0, 0, 0, -1], np.float32))
        *_, info = env.step(np.array([0, 0, 0, 0, 0, 0, 1], np.float32))
        commanded[name] = float(info["gated_command"][7])
        env.close()
    assert commanded["file"] == pytest.approx(0.06, abs=0.001)
    assert commanded["default"] == pytest.approx(0.08, abs=0.001)


def test_the_arm_stays_where_it_is(tmp_path):
    poses = []
    assert measured(tmp_path, lambda state: poses.append(state.tcp_pose[0, :3]) or state) == 0
    assert np.ptp(poses[2:], axis=0).max() < 0.002


def test_behind_ros_the_file_gives_both_points_of_the_profile(tmp_path):
    source = collected(tmp_path, open=[0.02, 0.021, 0.02], closed=[0.77, 0.77, 0.771])
    robot = ["robot=crisp_fr3", "gripper=robotiq_2f85", "device=none"]
    words = ["--from", source, "--open-m", "0.0845", "--out", str(tmp_path / "out")]
    assert main(["calibrate", "gripper", *words, *robot]) == 0
    profile = read_settings(compose([*robot, f"calibration.files=[{only_file(tmp_path / 'out')}]"])).gripper
    assert profile.opening_at(0.77) == pytest.approx(0.0, abs=1e-4)
    assert profile.opening_at(0.02) == pytest.approx(0.0845, abs=1e-4)
    assert profile.command_for(0.0845) == 0.0
    before = read_settings(compose(robot)).gripper
    assert abs(before.opening_at(0.77)) > 0.003


@pytest.mark.parametrize(
    ("read", "chosen", "expected"),
    [
        (lambda state: replace(state, gripper_width=np.array([0.04])), {}, "travel of at least 0.024 m, found 0 m"),
        (narrow, {"open_m": -0.1}, "expected an opening above 0 m, found -0.1; give --open-m"),
    ],
)
def test_a_gripper_that_does_not_move_is_refused(tmp_path, read, chosen, expected):
    with pytest.raises(Exception, match=expected) as refused:
        measured(tmp_path, read, **chosen)
    assert "\n" not in str(refused.value)
    assert nothing_in(tmp_path / "out")


def test_a_gripper_that_never_rests_and_a_robot_without_one_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(Exception, match="expected it still within 8 s, found it moving"):
        measured(tmp_path, lambda state: replace(state, gripper_width=rng.uniform(0, 0.08, 1)))
    hardware = around(mock_hardware("task=pick_place"), narrow)
    hardware.robot.has_gripper = False
    choice = options(tmp_path / "out", source=None, open_m=None, closed_m=None, here=False)
    with pytest.raises(Exception, match="expected a robot with a gripper, found none"):
        run(choice, CELL, hardware)
    assert nothing_in(tmp_path / "out")
