"""Workpieces with one joint: placed by a task, read by it, and moved by the arm alone."""

from dataclasses import dataclass

import mujoco
import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.hardware import find_robot
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.mock.workpieces import SceneError, workpiece_xml
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, EpisodePlan, Outcome
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.config import compose

DRAWER = {"kind": "drawer", "side_m": 0.16, "height_m": 0.08, "travel_m": 0.1, "friction_n": 1.0}
DOOR = {"kind": "door", "width_m": 0.15, "height_m": 0.1, "swing_rad": 1.5, "friction_nm": 0.05}
FRONT = frames.pose([0.48, 0.0, 0.0])
HERE = __name__


def world_of(**fixtures):
    config = compose(["task=reach"])
    scene = {"tool": None, "fixtures": fixtures, "objects": {}}
    return find_robot(config["robot"]).make(scene).make().robot.world


@pytest.mark.parametrize(("description", "half"), [(DRAWER, 0.05), (DOOR, 0.7)])
def test_a_joint_is_set_read_and_stays_when_the_workpiece_is_placed(description, half):
    world = world_of(thing=description)
    assert world.position_of("thing") == 0.0
    world.set_position("thing", half)
    world.place("thing", FRONT)
    world.settle(0.2)
    assert world.position_of("thing") == pytest.approx(half, abs=1e-3)
    assert world.pose_of("thing") == pytest.approx(FRONT)
    world.reset()
    assert world.position_of("thing") == 0.0


def test_a_push_opens_it_up_to_its_end_and_friction_holds_it():
    world = world_of(drawer=DRAWER)
    world.place("drawer", FRONT)
    dof = world.model.joint("drawer").dofadr[0]
    for force, low, high in ((0.5, -1e-3, 1e-3), (5.0, 0.02, 0.102), (50.0, 0.0995, 0.102)):
        world.data.qfrc_applied[dof] = force
        world.settle(0.3)
        assert low <= world.position_of("drawer") <= high
    world.data.qfrc_applied[dof] = -0.5
    world.settle(0.3)
    assert world.position_of("drawer") > 0.09


def test_a_door_turns_towards_x():
    world = world_of(door=DOOR)
    world.place("door", FRONT)
    world.set_position("door", 1.5)
    mujoco.mj_forward(world.model, world.data)
    body = world.model.jnt_bodyid[world.model.joint("door").id]
    centre = world.data.xipos[body] - FRONT[:3]
    assert centre[0] > 0.05
    assert abs(centre[1]) < 0.03


def test_what_has_no_joint_has_no_position():
    world = world_of(drawer=DRAWER, goal={"kind": "marker", "radius_m": 0.01})
    for name in ("goal", "cupboard"):
        with pytest.raises(KeyError):
            world.position_of(name)
        with pytest.raises(KeyError):
            world.set_position(name, 0.0)
    with pytest.raises(ValueError, match=r"drawer: expected a position from 0.0 to 0.1, found 0.2"):
        world.set_position("drawer", 0.2)


def test_a_wrong_size_is_refused():
    with pytest.raises(SceneError, match="travel_m: expected a number above 0"):
        workpiece_xml(DRAWER | {"travel_m": 0.0}, "drawer")


def test_a_stage_of_a_real_cell_repeats_what_the_task_set():
    workpieces = NotedWorkpieces()
    workpieces.set_position("drawer", 0.02)
    assert workpieces.position_of("drawer") == 0.02
    with pytest.raises(KeyError):
        workpieces.position_of("door")


@dataclass(frozen=True)
class OpenDrawerSettings:
    open_m: float


class OpenDrawer:
    """Pull a drawer open by its handle."""

    settings_type = OpenDrawerSettings
    reward_terms = ("opened",)

    def __init__(self, settings):
        self._settings = settings
        self.observed = {}

    def begin(self, rng):
        # Between the front and the bar of the handle, with closed fingers.
        start = frames.pose([FRONT[0] + 0.02 + 0.01, 0.0, 0.035], TOOL_DOWN)
        return EpisodePlan(start[None], np.array([0.0]), {"drawer": FRONT}, {"drawer": 0.01})

    def observe(self, state, workpieces):
        return {}

    def evaluate(self, state, workpieces):
        opened = workpieces.position_of("drawer")
        success = opened > self._settings.open_m
        return Outcome(float(success), success, self._settings.open_m - opened, {"opened": float(success)})

    def truth(self, state, workpieces):
        return {"opened": workpieces.position_of("drawer")}


def test_a_task_judges_a_drawer_that_the_arm_pulls_open():
    config = compose(["task=reach"])
    task = config["task"] | {
        "entry_point": f"{HERE}:OpenDrawer",
        "settings": {"open_m": 0.06},
        "scene": {"tool": None, "fixtures": {"drawer": DRAWER}, "objects": {}},
    }
    env = make_env(config | {"task": task}, 0)
    _, info = env.reset(seed=0)
    assert info["truth"]["opened"] == pytest.approx(0.01, abs=2e-3)
    for _ in range(5):
        still = env.step(np.zeros(6, np.float32))
    assert still[4]["truth"]["opened"] == pytest.approx(0.01, abs=2e-3)
    terminated = False
    for _ in range(20):
        _, reward, terminated, _, info = env.step(np.array([0.6, 0, 0, 0, 0, 0], np.float32))
        if terminated:
            break
    assert terminated
    assert reward == 1.0
    assert info["success"]
