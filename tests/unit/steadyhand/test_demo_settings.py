import copy
import dataclasses

import pytest

from steadyhand.demo_settings import task_differences
from steadyhand.robot_envs.tasks.peg_insert import PegInsert
from steadyhand.robot_envs.tasks.pick_place import PickPlace
from steadyhand.robot_envs.tasks.reach import Reach
from steadyhand.runtime.config import compose

GYM = ["task=gym", "task.entry_point=my.envs:make"]


def found(then, now, episode_settings=()):
    differences = task_differences(then, now, episode_settings)
    return {difference.key: difference.matters for difference in differences}


def changed(task, path, value):
    task = copy.deepcopy(task)
    *parents, last = path.split(".")
    node = task
    for name in parents:
        node = node[name]
    node[last] = value
    return task


@pytest.mark.parametrize(
    ("overrides", "keys"),
    [
        (["task.arguments={kind:a}"], ["arguments.kind"]),
        (["task.reward=success"], ["reward"]),
        (["task.success_reward=-0.5"], ["success_reward"]),
        (["task.success_steps=3"], ["success_steps"]),
        (["task.terminate_on_success=true"], ["terminate_on_success"]),
        (["task.control_period_s=0.05"], ["control_period_s"]),
        (["task.entry_point=my.envs:other"], ["entry_point"]),
        (["task.expert=my.envs:Expert", "task.max_steps=7"], []),
    ],
)
def test_what_changes_the_meaning_of_a_foreign_record(overrides, keys):
    then, now = compose(GYM)["task"], compose([*GYM, *overrides])["task"]
    assert [key for key, says in found(then, now).items() if says] == keys
    assert [key for key, says in found(now, then).items() if says] == keys


def test_arguments_are_compared_one_by_one_and_the_drawn_ones_are_free():
    then = compose([*GYM, "task.arguments={id:A,reward_type:sparse,render_mode:human}"])["task"]
    now = compose([*GYM, "task.arguments={id:A,reward_type:dense,render_mode:rgb_array}"])["task"]
    (difference,) = task_differences(then, now, ())
    assert difference.line("then") == "task.arguments.reward_type=sparse"
    assert difference.line("now") == "task.arguments.reward_type=dense"


PEG = compose(["task=peg_insert"])["task"]
PICK = compose(["task=pick_place"])["task"]
EPISODES = ("hole_position_m", "hole_range_m", "start_height_m")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("settings.success_depth_m", 0.01, True),
        ("settings.peg_length_m", 0.04, True),
        ("settings.hole_position_m", [0.4, 0.0, 0.1], False),
        ("scene.fixtures.hole.side_m", 0.022, False),
        ("drive.control_period_s", 0.05, True),
        ("drive.max_steps", 40, None),
        ("drive.action_scale_m", 0.02, None),
        ("drive.gripper_open_m", 0.04, None),  # the peg is held all the time
    ],
)
def test_what_changes_the_meaning_of_a_robots_record(path, value, says):
    assert found(PEG, changed(PEG, path, value), EPISODES) == ({} if says is None else {path: says})


def test_the_opening_of_a_gripper_that_is_learnt_matters():
    assert found(PICK, changed(PICK, "drive.gripper_open_m", 0.04)) == {"drive.gripper_open_m": True}


def test_settings_of_a_set_that_does_not_say_which_matter_are_only_told():
    assert found(PEG, changed(PEG, "settings.success_depth_m", 0.01), None) == {"settings.success_depth_m": False}


def test_a_setting_that_came_with_a_later_version_is_only_told():
    now = changed(PEG, "drive.new_setting", 3)
    assert found(PEG, now) == {"drive.new_setting": False}
    assert found(now, PEG) == {"drive.new_setting": True}
    assert found(PEG, changed(PEG, "drive.new_setting", None)) == {}


def test_those_that_matter_come_first():
    now = changed(changed(PEG, "scene.fixtures.hole.side_m", 0.03), "settings.peg_width_m", 0.01)
    assert list(found(PEG, now)) == ["settings.peg_width_m", "scene.fixtures.hole.side_m"]


@pytest.mark.parametrize("task", [PegInsert, PickPlace, Reach])
def test_every_name_that_a_task_leaves_free_is_a_setting_of_it(task):
    names = {field.name for field in dataclasses.fields(task.settings_type)}
    assert set(task.episode_settings) < names
