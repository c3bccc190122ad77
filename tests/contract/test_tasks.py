"""Every shipped task keeps the contract, and hides from a policy from images what it calls privileged."""

import pathlib

import numpy as np
import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.contracts.task import TaskContract
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.policies.config import PolicyConfig
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.observed import privileged_fields
from steadyhand.robot_envs.tasks.reach import Reach
from steadyhand.robot_envs.tasks.task import ObservedVector
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import load_entry_point
from steadyhand.runtime.config import compose
from steadyhand.transport.schema import Schema
from tests.robot_kit import make_robot_env

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = sorted(path.stem for path in (ROOT / "configs" / "task").glob("*.yaml") if path.stem != "gym")


class TestReach(TaskContract):
    group = "task=reach"


class TestPegInsert(TaskContract):
    group = "task=peg_insert"


class TestPickPlace(TaskContract):
    group = "task=pick_place"


class TestRelocate(TaskContract):
    group = "task=relocate"


class TestHandover(TaskContract):
    group = "task=handover"
    episodes = 10


class TestWipe(TaskContract):
    group = "task=wipe"
    episodes = 3
    success = 1.0


class TestCableRoute(TaskContract):
    group = "task=cable_route"
    episodes = 3
    success = 1.0


class TestPlugInsert(TaskContract):
    group = "task=plug_insert"
    episodes = 3
    success = 1.0


class TestBimanualInsert(TaskContract):
    group = "task=bimanual_insert"


def inputs(schema, *overrides):
    config = build(PolicyConfig, compose(list(overrides))["policy"], "policy")
    return {item.key for item in build_policy_spec(config, schema, []).inputs}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_task_names_privileged_fields_that_it_observes(name):
    values = compose([f"task={name}"])["task"]
    task_class = load_entry_point(values["entry_point"], "task.entry_point")
    assert "privileged" in vars(task_class)
    task = task_class(build(task_class.settings_type, values["settings"]))
    assert privileged_fields(task) == task_class.privileged


@pytest.mark.parametrize("name", SHIPPED)
def test_a_policy_from_images_reads_all_but_those(name):
    arms = compose([f"task={name}"])["task"].get("arms", 1)
    env = make_robot_env(f"task={name}", "camera=wrist_side" if arms == 1 else "camera=wrists_side")
    schema = env_schema(env)
    assert {field.name for field in schema.observation if field.privileged} == set(env.privileged) != set()
    every, hidden = {field.name for field in schema.observation}, {"previous_action"}
    assert inputs(schema, "policy=pixels") == every - set(env.privileged) - hidden
    assert inputs(schema, "policy=pixels", "policy.hidden_keys=[wrench]") == every - set(env.privileged) - {"wrench"}
    assert inputs(schema, "policy=state") == every - {"wrist", "left_wrist", "right_wrist", "side"} - hidden


@pytest.mark.parametrize("name", ["reach", "peg_insert", "pick_place"])  # tasks of that time
def test_records_from_before_the_flag_are_read_as_they_were(name):
    schema = env_schema(make_robot_env(f"task={name}", "camera=wrist_side"))
    facts = schema.to_json()
    for field in facts["observation"]:
        del field["privileged"]
    before = Schema.from_json(facts)
    assert before == schema
    assert before.hash == schema.hash
    assert before.diff(schema) == []
    assert all(field.privileged is None for field in before.observation)
    assert inputs(before, "policy=pixels") == inputs(schema, "policy=pixels")


class Weighing(Reach):
    """A user's task, which observes something more."""

    def __init__(self, settings):
        super().__init__(settings)
        self.observed = self.observed | {"weight": ObservedVector(1, 10.0, "kg", "tool", (1.0,))}

    def observe(self, state, workpieces):
        return super().observe(state, workpieces) | {"weight": np.zeros(1, np.float32)}


class Weighed(Weighing):
    privileged = ("goal", "mass")


class Silent:
    """A task whose class says nothing of privileged fields."""

    observed = Weighing(build(Reach.settings_type, compose(["task=reach"])["task"]["settings"])).observed


def test_a_new_tasks_privileged_fields_are_hidden_without_a_word_in_the_configuration():
    config = compose(["task=reach", "camera=wrist_side", f"task.entry_point={__name__}:Weighing"])
    schema = env_schema(make_env(config, 0))
    assert {"weight"} <= inputs(schema, "policy=pixels")
    assert "goal" not in inputs(schema, "policy=pixels")


def test_a_task_that_names_none_hides_all_that_it_adds():
    assert privileged_fields(Silent()) == ("goal", "weight")


def test_a_privileged_field_that_is_not_observed_is_one_line():
    config = compose(["task=reach", f"task.entry_point={__name__}:Weighed"])
    with pytest.raises(ConfigError, match=r"^Weighed.privileged: expected .*\(goal, weight\), found mass$"):
        make_env(config, 0)
