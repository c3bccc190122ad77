import ast
from pathlib import Path

import numpy as np
import pytest

from steadyhand.robot_envs.hardware import find_robot
from steadyhand.robot_envs.make import make_demonstrator, make_env
from steadyhand.robot_envs.mock.gap import GapConfig, generator
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose
from steadyhand.settings import compose_settings
from tests.config_kit import composed
from tests.gap_kit import make_arm
from tests.robot_kit import make_robot_env

ROOT = Path(__file__).resolve().parents[4]
# The packages that learn, calibrate or act: they get what a real cell would give them.
OUTSIDE = ("actor", "calibration", "learner", "policies", "runtime", "steadyhand", "transport", "robot_envs", "ros2_ws")
# Of task=reach, seed 3, ten steps of 0.3 along x: recorded before the mock had a gap.
RECORDED_TCP_M = [0.023420200233, 0.000079576627, 0.000411449048]


def walk(env, steps=40):
    rng = np.random.default_rng(5)
    seen, _ = env.reset(seed=3)
    told = [np.concatenate([seen[name].ravel() for name in sorted(seen)])]
    for _ in range(steps):
        seen, _, terminated, truncated, _ = env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
        told.append(np.concatenate([seen[name].ravel() for name in sorted(seen)]))
        if terminated or truncated:
            env.reset()
    env.close()
    return np.array(told)


@pytest.mark.slow
@pytest.mark.parametrize("choice", [("task=reach",), ("task=peg_insert", "camera=wrist_side_close")])
def test_without_a_gap_every_bit_is_as_it_is_without_the_group(choice):
    config = composed(*choice)
    bare = config | {"robot": {key: value for key, value in config["robot"].items() if key != "gap"}}
    assert np.array_equal(walk(make_env(config, 0)), walk(make_env(bare, 0)))
    assert not np.array_equal(walk(make_robot_env(*choice, "gap=mild")), walk(make_env(bare, 0)))


@pytest.mark.slow
def test_one_seed_is_one_cell_and_one_episode():
    choice = ("task=reach", "camera=wrist_side", "gap=real")
    first = walk(make_robot_env(*choice), 5)
    assert np.array_equal(first, walk(make_robot_env(*choice), 5))
    assert not np.array_equal(first, walk(make_robot_env(*choice, "gap.seed=1"), 5))


def test_none_has_no_gap_and_each_number_alone_is_one():
    none = build(GapConfig, composed()["gap"], "gap")
    assert none.is_none
    for number in ("hidden.tare_n=1", "command.jitter_s=0.1", "camera.latency_s.side=0.1", "picture.table_patterns=1"):
        assert not build(GapConfig, composed(f"gap.{number}")["gap"], "gap").is_none, number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("hidden.camera_m=-0.1", r"gap\.hidden: camera_m: expected at least 0"),
        ("hidden.workspace_m=[0,0]", r"workspace_m: expected a list of 3"),
        ("hidden.tool_m=5", r"tool_m: expected a number within \[0, 0.05\]"),
        ("camera.dropped_share=0.1", r"rate_hz: expected a rate, as frames are lost"),
        ("+camera.latency_s.roof=0.1", r"latency_s: expected names of cameras, wrist and side, found 'roof'"),
        ("camera.latency_s.side=60", r"latency_s\.side: expected a time within \[0, 10\]"),
        ("seed=-1", r"seed: expected at least 0"),
    ],
)
def test_a_wrong_number_is_refused(number, text):
    added, name = ("+", number[1:]) if number.startswith("+") else ("", number)
    with pytest.raises(ConfigError, match=text):
        build(GapConfig, compose([f"{added}gap.{name}"])["gap"], "gap")


@pytest.mark.parametrize("choice", [["robot=crisp_fr3"], ["task=gym", "task.entry_point=gymnasium:make"]])
def test_only_a_simulated_arm_has_a_gap(choice):
    compose_settings(choice)
    with pytest.raises(ConfigError, match=r"gap: expected a simulated arm, such as robot=mock, .*; give gap=none"):
        compose_settings([*choice, "gap=real"])
    assert not compose_settings(["robot=mock_ur5e", "gap=real"]).gap.is_none
    assert compose_settings(["robot=mock_ros", "gap=mild"]).robot.setup.settings.gap.camera.rate_hz == 60.0


def test_another_purpose_is_another_draw():
    assert generator(0, "tool").random() == generator(0, "tool").random() != generator(0, "tare").random()


def moved_after(arm, gap_m=0.008):
    """Physics steps from a command until the tool has moved by a tenth of a millimetre."""
    arm.reset(arm.world.tcp_pose()[None], np.array([0.02]), lambda state: True)
    start = arm.world.tcp_pose()
    target = start.copy()
    target[0] += gap_m
    arm.command(RobotCommand(target[None], np.array([0.02])))
    now = first = arm.world.steps
    timestep_ns = round(arm.world.config.physics_timestep_s * 1e9)
    while abs(arm.world.tcp_pose()[0] - start[0]) < 1e-4:
        now += 1
        arm.world.clock.sleep_until(now * timestep_ns)
        assert now - first < 500
    return now - first


@pytest.mark.parametrize("latency_s", [0.02, 0.1])
def test_a_command_is_late_by_its_latency(latency_s):
    on_time, late = make_arm(), make_arm(f"gap.command.latency_s={latency_s}")
    assert moved_after(late) - moved_after(on_time) == round(latency_s / 0.002)


def test_jitter_is_uniform_and_keeps_the_order_of_commands():
    arm = make_arm("gap.command.jitter_s=0.05")
    delays = np.array([arm._command_delay_s() for _ in range(2000)]) - 0.02
    assert delays.min() >= 0.0
    assert delays.max() <= 0.05
    assert delays.mean() == pytest.approx(0.025, abs=0.002)
    seen = []
    for index in range(50):
        arm.world.after(arm._command_delay_s(), lambda index=index: seen.append(index))
    arm.world.advance_to(arm.world.now_ns() + 200_000_000)
    assert seen == list(range(50))


@pytest.mark.slow
@pytest.mark.parametrize(("task", "gap", "least"), [("reach", "real", 19), ("peg_insert", "real", 18)])
def test_the_scripted_expert_sees_the_true_cell_and_still_succeeds(task, gap, least):
    config = composed(f"task={task}", f"gap={gap}")
    env = make_env(config, 0)
    wins = 0
    for seed in range(20):
        expert = make_demonstrator(config, env, seed)
        observation, info = env.reset(seed=seed)
        expert.reset(info)
        ended = False
        while not ended:
            observation, _, terminated, truncated, info = env.step(expert.act(observation, info, None))
            ended = terminated or truncated
        wins += bool(info["success"])
        if env.stop_reason is not None:
            env.resume()
    env.close()
    assert wins >= least


@pytest.mark.realtime
def test_frames_are_late_at_the_pace_of_the_wall_too():
    choice = ("task=reach", "camera=wrist_side", "robot.world.pace=realtime", "gap.camera.latency_s.wrist=0.06")
    env = make_robot_env(*choice)
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.zeros(env.action_space.shape, np.float32))
    world = env.robot.world
    receipt = world.film.newest("wrist", world.steps)
    assert receipt.step - receipt.counter == 30
    assert 0 <= env.clock.now_ns() - world.time_of(receipt.step) < 60_000_000
    env.close()


def names_hidden_truth(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    names += [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return (
        "hidden_truth" in names or "HiddenTruth" in names or any(module.endswith("mock.hidden") for module in modules)
    )


@pytest.mark.slow
def test_no_policy_task_or_calibration_reads_the_hidden_truth():
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in OUTSIDE
        for path in (ROOT / folder).rglob("*.py")
        if not path.is_symlink() and "test" not in path.relative_to(ROOT).parts and names_hidden_truth(path)
    }
    allowed = {f"robot_envs/mock/{name}.py" for name in ("hidden", "robot", "scene", "seen", "world")}
    assert {reader.removeprefix("steadyhand/") for reader in readers} == allowed


def test_a_robot_that_a_test_makes_by_hand_needs_no_gap():
    robot = {key: value for key, value in composed("task=reach")["robot"].items() if key != "gap"}
    made = find_robot(robot).make({"tool": None, "fixtures": {}, "objects": {}}).make_robot()
    assert made.world.hidden_truth is None


def test_the_path_of_the_tool_is_the_recorded_one():
    env = make_robot_env("task=reach")
    env.reset(seed=3)
    action = np.array([0.3, 0, 0, 0, 0, 0], np.float32)
    start = env.robot.world.tcp_pose()
    for _ in range(10):
        env.step(action)
    assert env.robot.world.tcp_pose()[:3] - start[:3] == pytest.approx(RECORDED_TCP_M, abs=1e-6)
