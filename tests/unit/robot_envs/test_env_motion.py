"""What the arm does between commands: holds, wrong readings, and stops."""

import threading

import numpy as np
import pytest

from steadyhand.robot_envs.frames import pose, pose_compose
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.robot_envs.safety.held_pose import HeldPose
from steadyhand.robot_envs.safety.tare import TareError
from tests.robot_kit import RecordingRobot, make_robot_env

TASKS = ("reach", "peg_insert", "pick_place")


def creep_m(env, seconds: float) -> float:
    """Distance of the arm's true pose after zero actions from where it was 1 s after the first of them."""
    still = np.zeros(env.action_space.shape, np.float32)
    for _ in range(10):
        env.step(still)
    before = env.robot.world.tcp_pose()[:3]
    for _ in range(round(seconds / env.control_period_s)):
        env.step(still)
    return float(np.linalg.norm(env.robot.world.tcp_pose()[:3] - before))


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1)])
def test_zero_actions_hold_the_arm_where_it_came_to_rest(direction):
    env = make_robot_env("task=reach", "task.drive.max_steps=100000", "safety.motion=null")
    env.reset(seed=0)
    for _ in range(5):
        env.step(np.array([*direction, 0, 0, 0], np.float32))
    assert creep_m(env, 60.0) <= 1e-3


def test_without_a_held_pose_the_arm_would_creep(monkeypatch):
    monkeypatch.setattr(HeldPose, "reference", lambda self, measured, moving: measured)
    env = make_robot_env("task=reach", "task.drive.max_steps=100000", "safety.motion=null")
    env.reset(seed=0)
    for _ in range(5):
        env.step(np.array([0, 0, 1, 0, 0, 0], np.float32))
    assert creep_m(env, 6.0) > 1e-3


def test_holding_again_and_again_keeps_one_target():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    for _ in range(5):
        env.step(np.array([0, 1, 0, 0, 0, 0], np.float32))
    env.hold()
    env.robot.world.step(500)
    before = env.robot.world.tcp_pose()[:3]
    for _ in range(100):
        env.hold()
        env.robot.world.step(50)
    assert np.linalg.norm(env.robot.world.tcp_pose()[:3] - before) <= 1e-3


def lying(env, at_steps, by_m=0.5):
    """Let single readings of the arm lie by half a metre."""
    read, count = env.robot.read, 0

    def wrong():
        nonlocal count
        count, state = count + 1, read()
        if count in at_steps:
            state.tcp_pose[0, 0] += by_m
        return state

    env.robot.read = wrong


def test_one_wrong_reading_is_not_used():
    env = make_robot_env("task=reach")
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    env.reset(seed=0)
    lying(env, {3})
    for _ in range(6):
        _, _, _, truncated, info = env.step(np.zeros(6, np.float32))
        assert not truncated, info["stop_reason"]
    targets = np.concatenate([command.tcp_pose for command in recorder.commands])
    assert np.abs(np.diff(targets[:, :3], axis=0)).max() < 0.005


def test_a_run_of_wrong_readings_stops_by_name():
    env = make_robot_env("task=reach", "safety.max_state_age_s=1.0")
    env.reset(seed=0)
    lying(env, {3, 4, 5, 6, 7})
    for _ in range(6):
        *_, truncated, info = env.step(np.zeros(6, np.float32))
        if truncated:
            break
    assert info["stop_reason"].startswith("implausible_state (a step of 0.5")


def test_a_stop_on_the_way_is_not_overwritten_by_the_command():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    told, threads = [], []
    command, hold = env.robot.command, env.robot.hold

    def slow(wanted):
        stopper = threading.Thread(target=env.stop, args=(StopReason.PERSON_STOP,))
        threads.append(stopper)
        stopper.start()
        stopper.join(0.2)  # it waits until the command is out
        command(wanted)
        told.append("command")

    env.robot.command = slow
    env.robot.hold = lambda: (told.append("hold"), hold())
    env.step(np.ones(6, np.float32))
    threads[0].join()
    assert told[0] == "command"
    assert set(told[1:]) == {"hold"}


def test_preflight_forgets_no_stop():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    read = env.robot.read

    def stopped():
        env.stop(StopReason.PERSON_STOP)
        return read()

    env.robot.read = stopped
    assert env.preflight() == "person_stop"
    assert env.stop_reason is StopReason.PERSON_STOP


def test_a_stop_after_the_answer_stays():
    env = make_robot_env("task=reach")
    env.reset(seed=0)
    env.stop(StopReason.STALE_STATE)
    asked = env.stops
    env.stop(StopReason.PERSON_STOP)
    assert not env.resume(asked)
    assert env.stop_reason is not None
    assert env.resume(env.stops)


def test_a_tare_that_is_refused_latches_and_the_arm_stays():
    env = make_robot_env("task=reach")
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    moved = recorder.reset

    def pressed(tcp_pose, gripper_width, may_go_on):
        moved(tcp_pose, gripper_width, may_go_on)
        raise TareError("cannot tare: 80.0 N at rest")

    recorder.reset = pressed
    env.reset(seed=0)
    *_, truncated, info = env.step(np.ones(6, np.float32))
    assert truncated
    assert info["stop_reason"].startswith("not_tared (cannot tare: 80.0 N")
    assert recorder.commands == []


def test_the_box_encloses_the_peg():
    env = make_robot_env("task=peg_insert", "safety.workspace_low_m=[0.3,-0.35,0.15]", "safety.motion=null",
                         "task.drive.max_steps=1000", "task.settings.start_height_m=0.1")  # fmt: skip
    recorder = RecordingRobot(env.robot)
    env.robot = recorder
    env.reset(seed=0)
    for _ in range(60):
        env.step(np.array([0, 0, 1, 0, 0, 0], np.float32))
    tips = [pose_compose(c.tcp_pose[0], pose([0.0, 0.0, 0.03]))[2] for c in recorder.commands]
    assert 0.149 < min(tips) < 0.152


class Interrupted(RecordingRobot):
    """A robot that another thread stops in the moment before a command, as a person's stop does."""

    def __init__(self, robot, env) -> None:
        super().__init__(robot)
        self._env, self.armed, self.order = env, False, []

    def command(self, command):
        if self.armed:
            self._env.gate.stop(StopReason.PERSON_STOP)
            self._env.hold()
        self.order.append("command")
        super().command(command)

    def hold(self):
        self.order.append("hold")
        super().hold()


def test_a_stop_wins_against_a_command_that_is_on_its_way():
    env = make_robot_env("task=reach")
    env.robot = robot = Interrupted(env.robot, env)
    env.reset(seed=0)
    env.step(np.full(6, 0.5, np.float32))
    robot.armed, robot.order = True, []
    seen_at_the_wait = []
    wait = env._period.wait

    def waiting(clock):
        seen_at_the_wait.extend(robot.order)
        return wait(clock)

    env._period.wait = waiting
    *_, info = env.step(np.full(6, 0.5, np.float32))
    assert seen_at_the_wait == ["hold", "command", "hold"]
    assert info["stop_reason"] == "person_stop"
