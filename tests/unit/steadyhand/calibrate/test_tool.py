import threading
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibrate import person
from steadyhand.calibrate.tool import run
from steadyhand.cli import main
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from tests.cell_kit import (
    around,
    collected,
    mock_hardware,
    nothing_in,
    only_calibration,
    only_file,
    options,
    pivot_poses,
    tilts,
    typing,
)

TIP, POINT = np.array([0.0, 0.004, 0.06]), np.array([0.5, 0.1, 0.05])
OUTLINE = np.array([[0.02, 0.02, 0.0], [-0.02, -0.02, 0.03]])
TURNS = tilts(0.35)


def touching(points) -> np.ndarray:
    return np.concatenate([pivot_poses(at, POINT, TURNS[i : i + 1]) for i, at in enumerate(points)])


def calibrate(tmp_path, *words: str, **content) -> int:
    source = collected(tmp_path, **({"poses": pivot_poses(TIP, POINT, TURNS, 0.0002)} | content))
    return main(["calibrate", "tool", "--from", source, "--out", str(tmp_path / "out"), "task=reach", *words])


def lowest(*words: str) -> float:
    """Drive down as far as the gate allows, and return the height of the tool centre point."""
    env = make_env(compose(["device=none", "task=reach", "task.drive.max_steps=1000", *words]), 0)
    env.reset(seed=0)
    for _ in range(60):
        env.step(np.array([0, 0, 1, 0, 0, 0], np.float32))
    height = float(env.robot.read().tcp_pose[0, 2])
    env.close()
    return height


def test_the_gate_keeps_the_tip_above_the_floor_of_the_workspace(tmp_path):
    assert calibrate(tmp_path) == 0
    found = only_calibration(tmp_path / "out")
    assert found.values["tip_m"] == pytest.approx(TIP, abs=0.001)
    assert found.residuals["rms_mm"] < 0.5
    reach = found.sets["task.extent"]["high_m"][2]
    assert reach == pytest.approx(0.062, abs=0.001)  # the tip, and 2 mm
    lower, higher = lowest(), lowest(f"calibration.files=[{only_file(tmp_path / 'out')}]")
    assert higher - lower == pytest.approx(reach, abs=0.004)


def test_touches_give_the_outline(tmp_path):
    assert calibrate(tmp_path, touches=touching(OUTLINE)) == 0
    extent = only_calibration(tmp_path / "out").sets["task.extent"]
    assert extent["low_m"] == pytest.approx([-0.022, -0.022, -0.002], abs=0.001)
    assert extent["high_m"] == pytest.approx([0.022, 0.022, 0.062], abs=0.001)


def test_given_sizes_are_taken_as_they_are(tmp_path):
    words = ["--low", "-0.01", "-0.01", "0", "--high", "0.01", "0.01", "0.03"]
    assert main(["calibrate", "tool", *words, "--out", str(tmp_path / "out"), "task=reach"]) == 0
    found = only_calibration(tmp_path / "out")
    assert found.sets["task.extent"] == {"low_m": [-0.01, -0.01, 0.0], "high_m": [0.01, 0.01, 0.03]}
    assert found.belongs_to["task.entry_point"].endswith(":Reach")
    with pytest.raises(Exception, match=r"found task\.entry_point=.*PegInsert"):
        compose([f"calibration.files=[{only_file(tmp_path / 'out')}]"])


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [
        ({"poses": pivot_poses(TIP, POINT, TURNS[:4])}, [], "at least 6 poses about the fixed point, found 4"),
        ({"poses": pivot_poses(TIP, POINT, 0.05 * TURNS)}, [], "tilt the tool farther, about two different axes"),
        ({"poses": pivot_poses(TIP, POINT, TURNS, 0.01)}, [], "keep the tip in its dimple"),
        ({}, ["--low", "0", "0", "0"], "expected both corners of the box, found one"),
        ({}, ["--low", "0", "0", "0.1", "--high", "1", "1", "1"], "expected low <= 0 <= high"),
        ({"touches": [[1.0]]}, [], "touches: expected rows of 7 numbers"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, content, words, expected):
    assert calibrate(tmp_path, *words, **content) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert nothing_in(tmp_path / "out")


def test_a_person_turns_the_tool_about_a_dimple_and_touches_it_with_corners(tmp_path, monkeypatch):
    """A simulated operator who guides the arm by hand: first about the dimple, then with the corners."""
    taken = [*pivot_poses(TIP, POINT, TURNS), *touching(OUTLINE)]
    hand = {"pose": taken[0]}
    still = np.zeros((1, 6))
    read = around(
        mock_hardware("task=reach"), lambda state: replace(state, tcp_pose=hand["pose"][None], tcp_twist=still)
    )
    with typing(monkeypatch, person) as (terminal, heard):

        def take(poses, first: int) -> None:
            for number, pose in enumerate(poses, start=first):
                hand["pose"] = pose
                terminal.type("y")
                heard(f"pose {number}:")
            terminal.type("p")

        def go() -> None:
            heard("take this pose")
            take(taken[:8], 1)
            heard("take this pose", 2)
            heard.forget("pose")
            take(taken[8:], 1)

        thread = threading.Thread(target=go)
        thread.start()
        chosen = options(tmp_path / "out", source=None, by_hand=True, touch=True, low=None, high=None)
        words = ["device=none", "task=reach", f"actor.person_keys.terminal={terminal.path}"]
        assert run(chosen, words, read) == 0
        thread.join(10)
    found = only_calibration(tmp_path / "out")
    assert found.values["tip_m"] == pytest.approx(TIP, abs=1e-5)
    assert found.sets["task.extent"]["low_m"] == pytest.approx([-0.022, -0.022, -0.002], abs=1e-5)
