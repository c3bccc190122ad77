from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibrate.latency import run
from steadyhand.calibration.chirp import Chirp
from steadyhand.cli import main
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from tests.cell_kit import Late, collected, mock_hardware, nothing_in, only_calibration, only_file, options

VIEWS = [
    "camera=wrist_side",
    *(f"camera.views.{view}.{side}=48" for view in ("wrist", "side") for side in ("height", "width")),
]
CELL = ["device=none", "task=peg_insert", *VIEWS]
CHIRP = Chirp((0.0, 1.0, 0.0), 0.012, 0.4, 1.2, 8.0, 1.0)


def measured(tmp_path, camera_s: float, command_s: float = 0.02):
    """Run the step on the mock, with cameras whose frames come late and a command path that is late."""
    hardware = mock_hardware(*CELL[1:], f"robot.imperfections.command_latency_s={command_s}")
    cameras = [Late(camera, hardware.clock, camera_s, noise=3.0) for camera in hardware.cameras]
    out = tmp_path / f"{camera_s}-{command_s}"
    chosen = options(out, source=None, view=[], here=False)
    assert run(chosen, CELL, replace(hardware, cameras=cameras)) == 0
    return only_calibration(out)


@pytest.mark.slow
@pytest.mark.parametrize("camera_s", [0.0, 0.043, 0.1, 0.2])
def test_the_latency_of_both_cameras_of_the_mock_is_found_within_5_ms(tmp_path, camera_s):
    found = measured(tmp_path, camera_s).values["camera_latency_s"]
    assert found == {"wrist": pytest.approx(camera_s, abs=0.005), "side": pytest.approx(camera_s, abs=0.005)}


@pytest.mark.slow
def test_a_command_path_that_is_later_is_found_later_by_as_much(tmp_path):
    """The controller's own lag is a part of it, so what is known is the difference."""
    found = {s: measured(tmp_path, 0.05, s).values["command_latency_s"] for s in (0.0, 0.06, 0.2)}
    assert found[0.06] - found[0.0] == pytest.approx(0.06, abs=0.005)
    assert found[0.2] - found[0.0] == pytest.approx(0.2, abs=0.005)
    assert 0.02 < found[0.0] < 0.12


def signals(delay_s: float = 0.08) -> dict:
    times = np.arange(0.0, 8.6, 0.02)
    sent, seen = np.arange(0.0, 8.6, 0.1), np.arange(0.0, 8.6, 1 / 30)

    def at(when) -> list[float]:
        return [float(CHIRP.offset(t)[1]) for t in when]

    # A command is held for its period: the arm lags by half of it, and by 30 ms.
    return {
        "commanded": {"times_s": sent.tolist(), "values_m": at(sent)},
        "measured": {"times_s": times.tolist(), "values_m": at(times - 0.05 - 0.03)},
        "views": {"wrist": {"times_s": seen.tolist(), "channels": [[v] for v in at(seen - 0.08 - delay_s)]}},
    }


def calibrate(tmp_path, *words: str, **content) -> int:
    source = collected(tmp_path, **(signals() | content))
    return main(["calibrate", "latency", "--from", source, "--out", str(tmp_path / "out"), *CELL, *words])


def test_collected_signals_give_the_setting_that_the_environment_uses(tmp_path):
    assert calibrate(tmp_path) == 0
    found = only_calibration(tmp_path / "out")
    assert found.values["command_latency_s"] == pytest.approx(0.03, abs=0.002)
    assert found.sets == {"camera.views.wrist.latency_s": pytest.approx(0.08, abs=0.002)}
    env = make_env(compose([*CELL, f"calibration.files=[{only_file(tmp_path / 'out')}]"]), 0)
    env.reset(seed=0)
    steps = [env.step(np.array([0, 1, 0, 0, 0, 0], np.float32))[0]["tcp_pose"] for _ in range(6)]
    # 80 ms before the end of a step of 100 ms: nearer to the step before.
    now = env._observed.vectors(env._state, env._start_pose, env._start_wrench, env._previous_action, {})["tcp_pose"]
    share = (now[1] - steps[-1][1]) / (steps[-1][1] - steps[-2][1])
    assert share == pytest.approx(0.8, abs=0.1)
    assert env.field_specs["tcp_pose"][1] == "start pose, at exposure"
    env.close()


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [
        ({"commanded": None}, [], "commanded: expected times_s and its rows, found NoneType"),
        ({"measured": {"times_s": [0.0, 0.0], "values_m": [0.0, 1.0]}}, [], "expected rising times"),
        ({"views": {"front": signals()["views"]["wrist"]}}, [], "views: expected some of wrist, side, found front"),
        ({"views": {"wrist": {"times_s": [0.0, 1.0]}}}, [], "expected channels, found times_s"),
        ({}, ["calibrate.max_delay_s=0.03"], "at the end of that range; raise calibrate.max_delay_s"),
        ({}, ["calibrate.chirp.amplitude_m=0"], "amplitude_m: expected a number above 0"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, content, words, expected):
    assert calibrate(tmp_path, *words, **content) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert nothing_in(tmp_path / "out")


def test_a_camera_that_sees_no_motion_is_refused(tmp_path):
    hardware = mock_hardware(*CELL[1:])
    camera = hardware.cameras[0]
    still = np.random.default_rng(0)
    latest = camera.latest
    camera.latest = lambda: replace(latest(), pixels=still.integers(90, 110, (48, 48, 3)).astype(np.uint8))
    chosen = options(tmp_path / "out", source=None, view=["wrist"], here=False)
    with pytest.raises(Exception, match="view wrist that follows the motion"):
        run(chosen, CELL, hardware)
    assert nothing_in(tmp_path / "out")


def test_ctrl_c_in_the_middle_of_the_motion_holds_and_leaves_nothing_behind(tmp_path):
    hardware = mock_hardware(*CELL[1:])
    robot, camera = hardware.robot, hardware.cameras[0]
    frames, targets = [], []
    latest, set_target = camera.latest, robot.world.arms[0].set_target
    robot.world.arms[0].set_target = lambda pose: targets.append(pose) or set_target(pose)

    def interrupted():
        frames.append(1)
        if len(frames) > 40:
            raise KeyboardInterrupt
        return latest()

    camera.latest = interrupted
    with pytest.raises(KeyboardInterrupt):
        run(options(tmp_path / "out", source=None, view=["wrist"], here=False), CELL, hardware)
    assert np.allclose(targets[-1], robot.world.tcp_pose())
    assert nothing_in(tmp_path / "out")


def test_a_latency_within_the_error_of_the_measurement_leaves_the_observation_as_it_is(tmp_path):
    """A setting above 0 is another observation, to which no earlier record fits."""
    late = signals(0.002)
    assert calibrate(tmp_path, **late) == 0
    found = only_calibration(tmp_path / "out")
    assert found.values["camera_latency_s"]["wrist"] == pytest.approx(0.002, abs=0.002)
    assert found.sets == {"camera.views.wrist.latency_s": 0.0}
