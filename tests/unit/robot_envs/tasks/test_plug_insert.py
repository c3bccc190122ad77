"""The rule of the socket, and the plug in the gripper."""

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.tasks.plug_insert import PlugInsert, PlugInsertSettings
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.build import build
from tests.config_kit import composed
from tests.robot_kit import make_robot_env, state


@pytest.mark.parametrize(
    ("x", "depth", "inserted"), [(0.0, 0.0131, True), (0.0, 0.0129, False), (0.0076, 0.02, False), (0.3, 0.02, False)]
)
def test_a_plug_deep_in_the_socket_is_inserted(x, depth, inserted):
    settings = composed("task=plug_insert")["task"]["settings"]
    task, workpieces = PlugInsert(build(PlugInsertSettings, settings, "task.settings")), NotedWorkpieces()
    socket = frames.pose([0.5, 0.07, 0.03], frames.quat_from_rotvec(np.array([0.0, 0.0, 0.2])))
    workpieces.place("socket", socket)
    workpieces.place("plug", frames.pose_compose(socket, frames.pose([x, 0.0, -depth])))
    assert task.evaluate(state(), workpieces).success == inserted


def test_a_plug_that_is_pushed_down_beside_the_socket_does_not_enter():
    env = make_robot_env("task=plug_insert")
    env.reset(seed=0)
    world = env.robot.world
    socket = world.pose_of("socket")
    world.place("plug", frames.pose_compose(socket, frames.pose([0.004, 0.0, 0.002])))
    world.settle(0.2)
    assert frames.pose_relative(socket, world.pose_of("plug"))[2] > -0.002
    world.place("plug", frames.pose_compose(socket, frames.pose([0.0003, 0.0, 0.002])))
    world.settle(0.3)
    assert frames.pose_relative(socket, world.pose_of("plug"))[2] < -0.013
    env.close()
