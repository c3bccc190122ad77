from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from steadyhand.robot_envs.env import StopLatchedError
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.tasks.reach import Reach
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import MonotonicClock
from tests.robot_kit import RecordingRobot, make_robot_env

TASKS = ("reach", "peg_insert", "pick_place")


@pytest.mark.parametrize("task", TASKS)
def test_gymnasium_finds_nothing_to_complain_about(task, recwarn):
    check_env(make_robot_env(f"task={task}"), skip_render_check=True)
    assert [str(w.message) for w in recwarn if "gymnasium" in str(w.filename)] == []


def rollout(env, seed, steps=25):
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    seen = [observation]
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(
            rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        )
        seen.append(observation)
        if terminated or truncated:
            break
    return seen


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_episode_bit_for_bit(task):
    first = rollout(make_robot_env(f"task={task}"), 3)
    used = make_robot_env(f"task={task}")
    rollout(used, 8)
    used.resume()
    again = rollout(used, 3)
    assert len(first) == len(again)
    for a, b in zip(first, again, strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_other_seed_other_episode():
    env = make_robot_env("task=peg_insert")
    a, _ = env.reset(seed=1)
    b, _ = env.reset(seed=2)
    assert not np.array_equal(a["hole_estimate"], b["hole_estimate"])


def test_pose_is_relative_to_the_start_and_action_is_in_the_tool_frame():
    env = make_robot_env("task=reach")
    observation, _ = env.reset(seed=0)
    assert np.abs(observation["tcp_pose"]).max() < 0.005
    action = np.zeros(6, np.float32)
    action[2] = 1.0
    start = env.robot.world.tcp_pose()
    for _ in range(5):
        observation, *_ = env.step(action)
    # The tool points down: its z is the base's minus z, and so is the pose seen from the start.
    assert env.robot.world.tcp_pose()[2] < start[2] - 0.02
    assert observation["tcp_pose"][2] > 0.02
    assert np.array_equal(observation["previous_action"], action)


def test_the_wrench_is_the_change_since_the_start_whatever_the_error_of_the_tare():
    env = make_robot_env("task=peg_insert", "robot.imperfections.force_bias_n=5", "robot.imperfections.force_noise_n=0")
    errors = []
    for seed in (0, 1):
        observation, _ = env.reset(seed=seed)
        assert np.array_equal(observation["wrench"], np.zeros(6))
        errors.append(env.robot.read().wrench[0, :3])
        for _ in range(12):
            observation, *_ = env.step(np.array([0, 0, 1, 0, 0, 0], np.float32))
        assert np.linalg.norm(observation["wrench"][:3]) > 5.0  # pressed
        assert observation["wrench"][:3] == pytest.approx(env.robot.read().wrench[0, :3] - errors[-1], abs=1e-4)
    assert np.abs(errors[0] - errors[1]).max() > 1.0


def test_time_limit_truncates_and_does_not_terminate():
    env = make_robot_env("task=reach", "task.drive.max_steps=5", "task.settings.tolerance_m=0.0001")
    env.reset(seed=0)
    ends = [env.step(np.zeros(6, np.float32))[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]


def test_stop_ends_the_episode_holds_and_waits_for_a_person():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    _, reward, terminated, truncated, info = env.step(np.full(6, np.nan, np.float32))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["stop_reason"] == "non_finite_action"
    assert np.isfinite(info["gated_command"]).all()
    with pytest.raises(StopLatchedError, match="person"):
        env.reset(seed=1)
    env.resume()
    env.reset(seed=1)


def test_a_parked_arm_waits_where_the_cell_says_and_nothing_latches():
    env = make_robot_env("task=reach", "safety.park_position_m=[0.4,0.1,0.4]")
    env.robot = RecordingRobot(env.robot)
    env.park()  # before the first episode the arm stays where it is
    assert env.robot.holds == 1
    env.reset(seed=0)
    env.step(np.ones(6, np.float32))
    env.park()
    assert np.allclose(env.robot.read().tcp_pose[0, :3], [0.4, 0.1, 0.4], atol=5e-3)
    assert env.stop_reason is None
    assert env.preflight() == ""
    env.reset(seed=1)


def test_without_a_place_of_its_own_it_parks_where_the_episode_began():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    for _ in range(5):
        env.step(np.ones(6, np.float32))
    env.park()
    assert np.allclose(env.robot.read().tcp_pose[0, :3], [0.5, 0.0, 0.25], atol=5e-3)


def test_the_preflight_after_a_break_says_what_is_wrong_and_latches_nothing():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    env.park()
    read = env.robot.read
    env.robot.read = lambda: replace(read(), silent_source="joint_states")
    assert "joint_states" in env.preflight()
    assert env.stop_reason is None
    env.robot.read = read
    assert env.preflight() == ""


def test_a_park_position_outside_the_workspace_is_refused():
    with pytest.raises(ConfigError, match="park_position_m: expected null or a position inside the workspace"):
        make_robot_env("task=reach", "safety.park_position_m=[0.4,0.1,4.0]")


def test_state_that_is_wrong_at_reset_moves_nothing():
    env = make_robot_env("task=reach")
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    broken = recorder.reset

    def reset(tcp_pose, gripper_width, may_go_on):
        return replace(broken(tcp_pose, gripper_width, may_go_on), ok=np.array([False]))

    recorder.reset = reset
    env.reset(seed=0)
    *_, truncated, info = env.step(np.ones(6, np.float32))
    assert truncated
    assert info["stop_reason"] == "robot_fault"
    assert recorder.commands == []


def test_force_beyond_the_limit_is_a_failure_and_not_a_time_out():
    env = make_robot_env("task=peg_insert", "safety.max_force_n=5")
    env.reset(seed=0)
    for _ in range(30):
        _, reward, terminated, truncated, info = env.step(np.array([0, 0, 1, 0, 0, 0], np.float32))
        if terminated or truncated:
            break
    assert (reward, terminated, truncated, info["stop_reason"]) == (0.0, True, False, "force_limit")
    assert not info["success"]


@pytest.mark.parametrize(("place", "value"), [(6, np.nan), (0, np.inf), (2, -np.inf)])
def test_action_that_is_not_finite_moves_nothing_whatever_the_entry(place, value):
    env = make_robot_env("task=pick_place")
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    env.reset(seed=0)
    action = np.zeros(7, np.float32)
    action[place] = value
    observation, _, terminated, truncated, info = env.step(action)
    assert (terminated, truncated, info["stop_reason"]) == (False, True, "non_finite_action")
    assert recorder.commands == []
    assert np.isfinite(observation["previous_action"]).all()


def test_force_at_reset_is_not_the_first_actions_failure():
    env = make_robot_env("task=reach")
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    pressed = recorder.reset
    recorder.reset = lambda *args: replace(pressed(*args), wrench=np.full((1, 6), 500.0))
    env.reset(seed=0)
    *_, terminated, truncated, info = env.step(np.ones(6, np.float32))
    assert (terminated, truncated, info["stop_reason"]) == (False, True, "force_limit")


def test_state_that_grew_old_while_the_action_was_chosen_stops_the_robot():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    env.clock.sleep_until(env.clock.now_ns() + 1_000_000_000)
    assert env.step(np.ones(6, np.float32))[4]["stop_reason"] == "stale_state"


def test_at_realtime_pace_a_pause_before_or_after_a_reset_is_not_caught_up_with():
    env = make_robot_env("task=reach", "robot.world.pace=realtime")
    world = env.robot.world
    for pause_ns in (0, 300_000_000):
        env.reset(seed=0)
        before = world.steps
        env.step(np.zeros(6, np.float32))
        assert 45 <= world.steps - before <= 120
        MonotonicClock().sleep_until(MonotonicClock().now_ns() + pause_ns)


def test_command_latency_delays_the_motion():
    moved = []
    for latency in (0.0, 0.08):
        env = make_robot_env("task=reach", f"robot.imperfections.command_latency_s={latency}")
        env.reset(seed=0)
        before = env.robot.world.tcp_pose()
        env.step(np.array([1, 0, 0, 0, 0, 0], np.float32))
        moved.append(np.linalg.norm(env.robot.world.tcp_pose()[:3] - before[:3]))
    assert moved[1] < 0.5 * moved[0]


def test_pose_offset_moves_what_is_measured_and_not_where_the_arm_goes():
    env = make_robot_env("task=reach", "robot.imperfections.pose_offset_m=0.01")
    env.reset(seed=0)
    difference = env.robot.read().tcp_pose[0, :3] - env.robot.world.tcp_pose()[:3]
    assert 1e-3 < np.abs(difference).max() <= 0.0105


def test_frames_are_observed_when_cameras_are_configured():
    env = make_robot_env("task=peg_insert", "camera=wrist_side")
    observation, _ = env.reset(seed=0)
    assert observation["wrist"].shape == observation["side"].shape == (128, 128, 3)
    assert env.observation_space.contains(observation)
    env.close()


def test_a_start_pose_of_the_caller_replaces_the_drawn_one():
    env = make_robot_env()
    env.reset(seed=1)
    wanted, far = env.robot.read().tcp_pose, env.robot.read().tcp_pose
    wanted[:, 2] += 0.03
    far[:, 0] += 5.0
    env.reset(seed=1, options={"start_pose": wanted})
    assert np.abs(env.robot.read().tcp_pose[0, :3] - wanted[0, :3]).max() < 2e-3
    for wrong in (wanted[:, :3], np.full_like(wanted, np.nan)):
        with pytest.raises(RobotError, match="start_pose: expected finite poses of shape"):
            env.reset(seed=1, options={"start_pose": wrong})
    with pytest.raises(RobotError, match="reach"):
        env.reset(seed=1, options={"start_pose": far})
    env.close()


class Fragile(Reach):
    """A task that has failed as soon as the tool moves down."""

    def evaluate(self, state, workpieces):
        outcome = super().evaluate(state, workpieces)
        return replace(outcome, failure=state.tcp_pose[0, 2] < 0.245)


def test_a_failure_of_the_task_terminates_without_reward_and_latches_nothing():
    env = make_robot_env("task=reach", f"task.entry_point={__name__}:Fragile")
    env.reset(seed=0)
    down = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], np.float32)
    ended = False
    while not ended:
        _, reward, terminated, truncated, info = env.step(down)
        ended = terminated or truncated
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert info["failed"]
    assert not info["success"]
    assert env.stop_reason is None
    env.reset(seed=1)
    env.close()
