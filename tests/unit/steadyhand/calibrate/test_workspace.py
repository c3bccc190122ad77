import threading
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibrate import person
from steadyhand.calibrate.workspace import run
from steadyhand.cli import main
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from tests.cell_kit import (
    DOWN,
    around,
    collected,
    mock_hardware,
    nothing_in,
    only_calibration,
    only_file,
    options,
    turned,
    typing,
)
from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

CORNERS = np.array([[0.45, -0.1, 0.15], [0.55, -0.1, 0.15], [0.55, 0.1, 0.15], [0.45, 0.1, 0.30], [0.5, 0.0, 0.25]])


def poses(corners=CORNERS) -> np.ndarray:
    return np.concatenate([corners, np.tile(DOWN, (len(corners), 1))], axis=1)


def calibrate(tmp_path, *words: str, **content) -> int:
    source = collected(tmp_path, **({"poses": poses(), "park": poses()[4:]} | content))
    return main(["calibrate", "workspace", "--from", source, "--out", str(tmp_path / "out"), "task=reach", *words])


def drive(env, direction, n: int = 60) -> np.ndarray:
    """Push against a wall, and return where the tool ends. The tool points down: its y and z are turned round."""
    env.reset(seed=0)
    action = np.concatenate([np.asarray(direction, float) * [1, -1, -1], np.zeros(3)]).astype(np.float32)
    for _ in range(n):
        env.step(action)
    return env.robot.read().tcp_pose[0, :3]


def test_the_gate_keeps_the_tool_inside_the_box_of_the_file(tmp_path):
    assert calibrate(tmp_path) == 0
    use = ["device=none", "task=reach", "task.settings.tolerance_m=0.00001", "task.drive.max_steps=1000"]
    found = {}
    for name, words in (("file", [f"calibration.files=[{only_file(tmp_path / 'out')}]"]), ("default", [])):
        env = make_env(compose([*use, *words]), 0)
        found[name] = drive(env, [1, 1, 1])
        env.close()
    assert np.allclose(found["file"], [0.55, 0.1, 0.30], atol=0.004)
    assert (found["default"] > [0.58, 0.15, 0.33]).all()  # the twin: without the file it goes on


def test_a_break_is_taken_at_the_place_of_the_file(tmp_path):
    assert calibrate(tmp_path, "--start") == 0
    env = make_env(compose(["device=none", "task=reach", f"calibration.files=[{only_file(tmp_path / 'out')}]"]), 0)
    env.reset(seed=0)
    assert np.allclose(env.robot.read().tcp_pose[0, :3], CORNERS[0], atol=0.003)  # --start: the first pose
    env.park()
    assert np.allclose(env.robot.read().tcp_pose[0, :3], CORNERS[4], atol=0.003)
    env.close()


def test_the_file_says_what_was_measured_and_for_which_arm(tmp_path, capsys):
    assert calibrate(tmp_path) == 0
    found = only_calibration(tmp_path / "out")
    assert found.sets["safety.workspace_low_m"] == [0.45, -0.1, 0.15]
    assert found.sets["safety.park_position_m"] == [0.5, 0.0, 0.25]
    assert found.belongs_to == {"robot.name": "mock_fr3"}
    assert found.residuals["n_poses"] == 5
    assert f"use it with calibration.files=[{only_file(tmp_path / 'out')}]" in capsys.readouterr().out
    with pytest.raises(Exception, match=r"robot\.name=mock_fr3, found robot.name=mock_ur5e"):
        compose(["robot=mock_ur5e", f"calibration.files=[{only_file(tmp_path / 'out')}]"])


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [
        ({"poses": poses()[:2]}, [], "expected at least 4 poses, found 2"),
        ({"park": poses(np.array([[0.9, 0.0, 0.2]]))}, [], "finish at a place inside the box"),
        ({"poses": [[1, 2, 3]]}, [], "poses: expected rows of 7 numbers, found shape"),
        ({"poses": "many"}, [], "poses: expected rows of 7 numbers, found something else"),
        ({"poses": 2 * poses()}, [], "expected unit quaternions x y z w, found length 2.000 in row 1"),
        ({"poses": [[float("nan")] * 7]}, [], "expected finite numbers"),
        ({}, ["--start", "task=peg_insert"], "--start: expected a task with task.settings.start_position_m"),
        ({}, ["calibrate.box.min_poses=1"], "calibrate.box: min_poses: expected at least 2"),
        ({}, ["calibrate.box.most=1"], "calibrate.box.most: unknown key"),
        ({}, ["task=gym", "task.entry_point=gymnasium:make"], "expected a task for an arm, found kind gym"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, content, words, expected):
    assert calibrate(tmp_path, *words, **content) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize(
    ("raw", "expected"), [(b"\xff", "no valid YAML"), (b"- 1", "found none"), (None, "No such file")]
)
def test_a_file_that_is_none_is_refused(tmp_path, capsys, raw, expected):
    path = tmp_path / "poses.yaml"
    if raw is not None:
        path.write_bytes(raw)
    assert main(["calibrate", "workspace", "--from", str(path), "--out", str(tmp_path / "out")]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["device=none"], "or --by-hand for an arm that is guided by hand"), (["robot=crisp_fr3"], "give --from FILE")],
)
def test_a_cell_that_cannot_be_led_is_refused(tmp_path, capsys, words, expected):
    assert main(["calibrate", "workspace", "--out", str(tmp_path / "out"), "task=reach", *words]) == 2
    assert expected in capsys.readouterr().err
    assert nothing_in(tmp_path / "out")


def test_an_arm_guided_by_hand_is_only_read(tmp_path, monkeypatch):
    places = iter(poses(CORNERS))
    hand = {"pose": next(places)}
    hardware = around(mock_hardware("task=reach"), lambda state: moved(state, hand["pose"]))
    hardware.robot.hold = lambda: pytest.fail("an arm in a person's hand was held")
    with typing(monkeypatch, person) as (terminal, heard):

        def go() -> None:
            heard("take this pose")
            for number in range(1, 5):
                terminal.type("y")
                heard(f"pose {number}:")
                hand["pose"] = next(places)
            terminal.type("p")

        thread = threading.Thread(target=go)
        thread.start()
        words = ["device=none", "task=reach", f"actor.person_keys.terminal={terminal.path}"]
        chosen = options(tmp_path / "out", source=None, by_hand=True, start=False)
        assert run(chosen, words, hardware) == 0
        thread.join(10)
    found = only_calibration(tmp_path / "out")
    assert found.sets["safety.workspace_high_m"] == pytest.approx([0.55, 0.1, 0.30])
    assert found.sets["safety.park_position_m"] == pytest.approx([0.5, 0.0, 0.25])
    assert hardware.robot.commands == []


def moved(state, pose):
    return replace(state, tcp_pose=np.asarray(pose)[None], tcp_twist=np.zeros((1, 6)))


def test_ctrl_c_holds_the_arm_and_leaves_nothing_behind(tmp_path, monkeypatch):
    reads = []

    def read(state):
        reads.append(state)
        if len(reads) > 20:
            raise KeyboardInterrupt
        return state

    hardware = around(mock_hardware("task=reach"), read)
    with typing(monkeypatch, person) as (terminal, _):
        words = ["device=none", "task=reach", f"actor.person_keys.terminal={terminal.path}"]
        with pytest.raises(KeyboardInterrupt):
            run(options(tmp_path / "out", source=None, by_hand=True, start=False), words, hardware)
        assert terminal.shows_keys()
    assert hardware.robot.closed == 1
    assert nothing_in(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.realtime
def test_a_person_leads_the_arm_with_the_keyboard_and_a_stop_holds_it(tmp_path, monkeypatch):
    hardware = around(mock_hardware("task=reach", "device=keyboard"), lambda state: state)
    hardware.robot.world.set_configuration(poses()[4], 0.02)
    terminal = Terminal()
    lines = []
    monkeypatch.setattr(person, "say", lines.append)
    out = tmp_path / "out"
    words = ["device=keyboard", f"device.terminal={terminal.path}", "task=reach", "calibrate.motion.max_speed_m_s=0.2"]
    done = []
    chosen = options(out, source=None, by_hand=False, start=False)

    def step() -> None:
        try:
            done.append(run(chosen, words, hardware))
        except Exception as error:
            done.append(error)

    thread = threading.Thread(target=step, daemon=True)
    thread.start()

    def heard(text: str, count: int = 1) -> None:
        wait_until(lambda: sum(text in line for line in list(lines)) >= count or done, 20)
        assert not done, lines

    def z() -> float:
        return float(hardware.robot._robot.world.tcp_pose()[2])

    def lead(key: str, axis: int, by_m: float) -> None:
        """Hold a key until the tool has moved, then let go until it is at rest."""
        start = hardware.robot._robot.world.tcp_pose()[axis]
        end = threading.Event()

        def held() -> None:
            while not end.wait(0.05):
                terminal.type(key)

        holding = threading.Thread(target=held, daemon=True)
        holding.start()
        wait_until(lambda: abs(hardware.robot._robot.world.tcp_pose()[axis] - start) > by_m, 20)
        end.set()
        holding.join(5)

    def take(number: int) -> None:
        def taken() -> bool:
            if any(f"pose {number}:" in line for line in list(lines)):
                return True
            terminal.type("y")
            return threading.Event().wait(0.3)

        wait_until(taken, 20)

    try:
        heard("take this pose")
        before = z()
        lead_start = hardware.robot._robot.world.tcp_pose().copy()
        terminal.type("f" * 5)  # nothing is enabled yet
        assert not threading.Event().wait(0.5)
        assert abs(z() - before) < 0.002
        terminal.type("\r")
        heard("motion enabled")
        assert not threading.Event().wait(1.0)  # the keys have to be at rest
        take(1)
        lead("w", 0, 0.07)
        take(2)
        lead("d", 1, 0.07)
        take(3)
        terminal.type(" ")
        heard("stopped: the arm holds")
        lead_stopped = z()
        terminal.type("f" * 5)
        assert not threading.Event().wait(0.5)
        assert abs(z() - lead_stopped) < 0.002
        terminal.type("\r")
        heard("motion enabled", 2)
        assert not threading.Event().wait(1.0)
        lead("f", 2, 0.07)
        take(4)
        terminal.type("p")
        wait_until(lambda: done, 20)
    finally:
        terminal.close()
        thread.join(10)
    assert done == [0]
    found = only_calibration(out)
    low, high = np.array(found.sets["safety.workspace_low_m"]), np.array(found.sets["safety.workspace_high_m"])
    assert (high - low > 0.06).all()
    assert (np.abs(lead_start[:3] - np.clip(lead_start[:3], low, high)) < 0.01).all()
    assert found.residuals["n_poses"] == 5  # and the last one


def test_orientations_that_differ_too_much_are_refused(tmp_path, capsys):
    wild = poses()
    wild[1, 3:] = turned([[1.3, 0, 0]])[0]
    assert calibrate(tmp_path, poses=wild) == 2
    assert "keep the tool as in the task at every corner" in capsys.readouterr().err
