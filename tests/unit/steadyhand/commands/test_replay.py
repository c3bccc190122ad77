import json
import re
import shutil
from contextlib import closing

import gymnasium
import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.pipeline.recorded_episode import check_replayable, read_episode
from steadyhand.pipeline.replaying import action_towards, replay
from steadyhand.robot_envs.frames import pose_compose, pose_from_vector
from steadyhand.robot_envs.make import make_env
from steadyhand.settings import compose_settings
from tests.unit.steadyhand.synthetic_run import write_log

TASK = ["task=reach", "task.drive.max_steps=40", "logging.level=warning"]


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    words = [*TASK, "episodes=2", "seed=5", f"run_root={root}", "run_name=shown"]
    assert main(["record", *words]) == 0
    return root / "shown" / "demos"


def shown(capsys):
    """Return what a replay has printed, and its largest position error [mm]."""
    said = capsys.readouterr()
    found = re.search(r"^position +(\S+) mm +(\S+) mm", said.out, re.MULTILINE)
    return said.out, float(found[2]) if found else None


def test_on_the_mock_it_is_the_same_episode_to_the_bit(demos, capsys, tmp_path):
    for number in ("0", "1"):
        assert main(["replay", str(demos), "--episode", number, "--json", str(tmp_path / "out.json")]) == 0
        out, largest_mm = shown(capsys)
        assert "start drawn from a seed of the recording" in out
        assert "outcome: success, recorded: success" in out
        assert "not where it was" not in out
        assert largest_mm == 0.0
        found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
        assert len(found["position_m"]) == found["steps"] == len(read_episode(demos, int(number)).sent)
        assert found["limited"] == 0


def test_without_a_seed_the_start_is_that_of_the_commands(demos):
    settings, recorded = compose_settings(TASK), read_episode(demos, 1)
    env = make_env(settings.composed, 0)
    found = replay(env, recorded, settings.task, ())
    env.close()
    assert found.start == "from the recorded commands"
    assert max(found.position_m) < 2e-3
    assert max(found.rotation_rad) < 0.02
    assert found.elsewhere == ("goal",)


class Lagging(gymnasium.ActionWrapper):
    """An arm that makes nine tenths of every motion, as one in real time may."""

    def action(self, action):
        return np.asarray(action) * 0.9


@pytest.mark.parametrize(("lockstep", "least_m", "most_m"), [(True, 0.008, 1.0), (False, 0.0, 0.004)])
def test_in_real_time_the_arm_is_led_back_to_the_recorded_commands(demos, lockstep, least_m, most_m):
    settings, recorded = compose_settings(TASK), read_episode(demos, 1)
    with closing(Lagging(make_env(settings.composed, 0))) as env:
        env.unwrapped.lockstep = lockstep
        found = replay(env, recorded, settings.task, ())
    assert least_m <= found.position_m[-1] <= most_m
    assert found.steps == len(recorded.sent)


def test_at_the_recorded_pose_the_recorded_action_leads_to_its_command(demos):
    recorded = read_episode(demos, 0)
    start = np.array([[0.4, 0.1, 0.3, 1.0, 0.0, 0.0, 0.0]])
    reached, action = np.array([0.1, 0.0, -0.05, 0.0, 0.2, 0.0]), np.array([0.5, -1.0, 0.25, 0.1, 0.0, -0.3])
    scale = np.repeat([0.02, 0.05], 3)
    target = pose_compose(pose_compose(start[0], pose_from_vector(reached)), pose_from_vector(action * scale))
    command = np.append(target, 0.08)
    np.testing.assert_allclose(action_towards(command, start, reached, action, scale), action, atol=1e-6)
    behind = action_towards(command, start, reached - np.array([0.01, 0, 0, 0, 0, 0]), action, scale)
    assert not np.allclose(behind, action, atol=0.1)
    assert not action_towards(command, start, reached, np.zeros(6), scale).any()
    assert len(recorded.commands[0]) == len(command)


def test_a_moved_demo_set_remembers_its_task_and_the_moved_goal_is_said(demos, capsys, tmp_path):
    shutil.copytree(demos, tmp_path / "moved")
    assert main(["replay", str(tmp_path / "moved"), "logging.level=warning"]) == 0
    out, largest_mm = shown(capsys)
    assert "a workpiece is not where it was: at the start another goal was observed" in out
    assert largest_mm < 2.0


def test_another_robot_follows(demos, capsys):
    assert main(["replay", str(demos), "robot=mock_ur5e"]) == 0
    _, largest_mm = shown(capsys)
    assert 0.0 < largest_mm < 5.0


def test_the_gate_judges_every_command_anew(demos, capsys):
    assert main(["replay", str(demos), "safety.max_force_n=0.5"]) == 1
    out, _ = shown(capsys)
    assert "outcome: stopped: force_limit, recorded: success" in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["task.drive.action_scale_m=0.005"], "expected an action scale of 0.005 m and 0.05 rad a step, found 0.01 m"),
        (["task.drive.control_period_s=0.05"], "expected a control period of 0.05 s, found 0.1 s"),
        (["task.drive.learns_gripper=true"], "expected actions of (7,)"),
        (["--episode", "7"], "expected episode 7, found 0, 1"),
        (["--json", "nowhere/out.json"], "--json nowhere/out.json: expected a file"),
        (["task=gym", "task.entry_point=tests.unit.steadyhand.point_task:make"], "expected a task of an arm"),
    ],
)
def test_another_meaning_is_refused_in_one_line(demos, capsys, words, line):
    assert main(["replay", str(demos), *words]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1


def test_records_of_no_arm_are_refused(tmp_path, capsys):
    write_log(tmp_path / "log", [5])
    assert main(["replay", str(tmp_path / "log")]) == 2
    assert "expected records of an arm with tcp_pose, tcp_twist and previous_action" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "none")]) == 2


def test_the_frames_of_the_latency_are_another_field(demos):
    settings = compose_settings([*TASK, "camera=wrist_side", "+camera.views.wrist.latency_s=0.05"])
    env = make_env(settings.composed, 0)
    with pytest.raises(ValueError, match="expected the field tcp_pose as this robot gives it"):
        check_replayable(read_episode(demos, 0).schema, env, "demos")
    env.close()
