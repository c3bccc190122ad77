"""Two simulated arms in one world: the contract of a robot, and what holds only for two."""

import numpy as np
import pytest

from steadyhand.contracts.robot import RobotContract
from steadyhand.robot_envs import frames
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, TOOL_DOWN_TURNED
from tests.cell_kit import mock_hardware
from tests.robot_kit import make_robot_env

START = np.array([[0.50, 0.0, 0.20, *TOOL_DOWN], [0.80, 0.0, 0.20, *TOOL_DOWN_TURNED]])
OPEN = np.full(2, 0.04)
# A twin of the cell whose rule knows only a point of each tool.
NO_SHAPES = ("~safety.apart.shapes.hand", "~safety.apart.shapes.wrist", "safety.apart.shapes.fingers.radius_m=0.001")
NO_SHAPES += ("safety.apart.shapes.fingers.from_m=[0,0,0]", "safety.apart.shapes.fingers.to_m=[0,0,0]")
NO_SHAPES += ("safety.apart.min_distance_m=0.0002", "safety.apart.stop_distance_m=0.0001")


class TestMockPair(RobotContract):
    group = "robot=mock_pair"
    overrides = ("task=handover",)
    n_joints = 7

    @property
    def start(self):
        return START.copy()


@pytest.fixture
def hardware():
    hardware = mock_hardware("task=handover")
    hardware.robot.connect()
    hardware.workpieces.begin(0)
    hardware.workpieces.place("bar", frames.pose([0.6, 0.3, 0.015]))
    hardware.robot.reset(START, OPEN, lambda state: True)
    return hardware


def test_one_arm_moves_while_the_other_holds(hardware):
    robot, clock = hardware.robot, hardware.clock
    target = START + np.array([[0.0] * 7, [0.0, 0.02, 0.01, 0, 0, 0, 0]])
    robot.command(RobotCommand(target, np.array([0.04, 0.01])))
    clock.sleep_until(clock.now_ns() + 1_000_000_000)
    state = robot.read()
    assert state.tcp_pose[:, :3] == pytest.approx(target[:, :3], abs=2e-3)
    assert state.gripper_width == pytest.approx([0.04, 0.01], abs=4e-3)


def test_each_arm_measures_its_own_contact(hardware):
    robot, clock = hardware.robot, hardware.clock
    down = START.copy()
    down[1, 2] = -0.02  # into the table
    for _ in range(40):
        robot.command(RobotCommand(down, OPEN))
        clock.sleep_until(clock.now_ns() + 100_000_000)
    forces = np.linalg.norm(robot.read().wrench[:, :3], axis=1)
    assert forces[0] < 5.0
    assert forces[1] > 10.0


def test_the_noise_of_both_arms_differs(hardware):
    noise = hardware.robot.read().tcp_pose[:, :3] - hardware.robot.read().tcp_pose[:, :3]
    assert not np.allclose(noise[0], noise[1])


def test_seeds_repeat_an_episode():
    readings = []
    for _ in range(2):
        env = make_robot_env("task=handover")
        observation, _ = env.reset(seed=3)
        env.step(np.full(14, 0.3, np.float32))
        readings.append(np.concatenate([observation[name] for name in sorted(observation)]))
    assert np.array_equal(*readings)


def contacts(world) -> int:
    """Return the number of contacts between the two arms."""
    names = [
        {world.model.body(world.model.geom_bodyid[geom]).name.split("_")[0] for geom in contact.geom}
        for contact in world.data.contact[: world.data.ncon]
    ]
    return names.count({"left", "right"})


def clash(*overrides):
    """Drive both tools to one place; return the number of contacts, the smallest measured gap and the stop."""
    env = make_robot_env("task=handover", *overrides)
    env.reset(seed=0)
    world, rule = env.robot._arms[0].world, make_robot_env("task=handover").gate._keep_apart
    touches, gap_m, stop = 0, np.inf, ""
    place = np.array([0.65, 0.0, 0.2])
    for _ in range(60):
        state = env.robot.read()
        ways = np.array([frames.pose_relative(pose, frames.pose(place, pose[3:]))[:3] for pose in state.tcp_pose])
        action = np.zeros((2, 7), np.float32)
        action[:, :3] = np.clip(ways / 0.015, -1.0, 1.0)
        info = env.step(action.ravel())[4]
        touches += contacts(world)
        gap_m, stop = min(gap_m, rule.gap_m(env.robot.read().tcp_pose)), info["stop_reason"]
        if stop:
            break
    return touches, gap_m, stop


def attracted(env, rng):
    """Return an action that leads both tools to one place, turned at random."""
    place = np.array([0.65, 0.05 * rng.normal(), 0.2])
    action = rng.uniform(-1.0, 1.0, (2, 7))
    for arm, pose in enumerate(env.robot.read().tcp_pose):
        action[arm, :3] = np.clip(frames.pose_relative(pose, frames.pose(place, pose[3:]))[:3] / 0.015, -1.0, 1.0)
    return action.ravel()


def scattered(env, rng):
    """Return a random action."""
    return rng.choice([-1.0, 0.0, 1.0], 14)


@pytest.mark.parametrize("act", [attracted, scattered])
def test_no_action_commands_a_smaller_distance(act):
    env, rng = make_robot_env("task=handover", "task.drive.max_steps=1000"), np.random.default_rng(0)
    env.reset(seed=0)
    nearest = np.inf
    for _ in range(150):
        info = env.step(act(env, rng).astype(np.float32))[4]
        if info["stop_reason"]:
            assert not info["stop_reason"].startswith("arms_too_close")
            env.resume()
            env.reset()
        command = info["gated_command"].astype(np.float64).reshape(2, 8)[:, :7]
        nearest = min(nearest, env.gate._keep_apart.gap_m(command))
    assert nearest >= env.gate.limits.apart.min_distance_m - 1e-4  # a recorded command is rounded to float32
    assert nearest < 0.03 or act is scattered


def test_the_rule_keeps_the_links_from_touching():
    touches, gap_m, stop = clash()
    assert stop == ""
    assert gap_m > 0.005
    assert touches == 0


def test_without_its_shapes_the_links_hit_each_other():
    touches, gap_m, _ = clash(*NO_SHAPES)
    assert gap_m < 0.0
    assert touches > 0


def test_two_arms_have_three_views():
    env = make_robot_env("task=handover", "camera=wrists_side")
    observation, _ = env.reset(seed=0)
    views = [observation[name] for name in ("left_wrist", "right_wrist", "side")]
    assert all(view.shape == (128, 128, 3) and view.std() > 5.0 for view in views)
    env.close()
