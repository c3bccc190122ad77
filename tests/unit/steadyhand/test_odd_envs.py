"""Every odd environment records a demonstration, or is refused by `record` in one line."""

import logging
import re

import numpy as np
import pytest

from steadyhand import cli
from steadyhand.transport.demo_set import read_manifest
from steadyhand.transport.log import LogReader
from tests.unit.robot_envs import odd_envs

pytestmark = pytest.mark.slow

HERE = odd_envs.HERE
WORKS = {
    "plain": ["state"],
    "nested": ["agent_pos", "pixels/front", "pixels/wrist"],
    "tuple": ["state/0", "state/1/0", "state/1/1"],
    "discrete": ["phase", "state"],
    "started": ["phase", "state"],
    "multi_discrete": ["dial", "state"],
    "binary": ["touch", "state"],
    "matrix": ["pose", "state"],
    "integers": ["count", "state"],
    "flags": ["up", "state"],
    "float_image": ["front", "state"],
    "float_bytes": ["front", "state"],
    "signed_image": ["front", "state"],
    "chw": ["front", "state"],
    "float_chw": ["front", "state"],
    "gray": ["front", "state"],
    "gray_hw1": ["front", "state"],
    "batch_of_one": ["front", "state"],
    "grid": ["cells", "state"],
    "wide_action": ["state"],
    "whole_action": ["state"],
    "batched_action": ["state"],
    "array_reward": ["state"],
    "reward_0d": ["state"],
    "whole_reward": ["state"],
    "fetch": ["state"],
    "array_ends": ["state"],
    "float_success": ["state"],
    "numpy_success": ["state"],
    "array_success": ["state"],
    "succeed": ["state"],
    "reused_buffer": ["state"],
}
REFUSED = {
    "nan_reward": r"expected steps to learn from, found none that is valid of \d+",
    "nan_observation": r"expected 1 successful demonstrations in 2 attempts, found 0",
    "frame_stack": r"front: expected one picture .* found a stack \(4, 32, 32, 3\).*policy\.obs_horizon=4",
    "gray_stack": r"front: expected one picture .* found a stack \(4, 32, 32\)",
    "stacked_channels": r"front: expected one picture .* found a stack \(32, 32, 12\).*policy\.obs_horizon=4",
    "rgba": r"front: expected one picture .* found 4 channels",
    "depth16": r"depth: expected a picture of uint8.* found uint16 within \[0, 65535\]",
    "depth_m": r"depth: expected a picture of uint8.* found float32 within \[0, 10\]",
    "endless_image": r"front: expected a picture of uint8.* found float32 within \[-inf, inf\]",
    "text": r"goal: expected Box, Dict, Tuple.* found Text",
    "sequence": r"points: expected Box, Dict, Tuple.* found Sequence",
    "empty": r"nothing: expected at least one number",
    "bad_name": r"field name: expected 1 to 64 of .* found 'front camera'",
    "same_name": r"a/b: expected one field of that name, found two",
    "only_image": r"the policy reads no field; choose an encoder \(policy=pixels\)",
    "huge_discrete": r"cell: expected 1 to 4096 discrete values in all, found 1000000",
    "unbounded_action": r"expected an environment with a bounded Box action, found Box.*task\.action_bound",
    "half_bounded_action": r"expected an environment with a bounded Box action, found Box.*task\.action_bound",
    "discrete_action": r"expected an environment with a bounded Box action, found Discrete\(4\)",
    "tuple_action": r"expected an environment with a bounded Box action, found Tuple",
    "binary_action": r"expected an environment with a bounded Box action, found MultiBinary",
    "several_rewards": r"reward of the environment: expected one number, found ndarray of shape \(2,\)",
    "no_reward": r"reward of the environment: expected one number, found NoneType",
    "several_ends": r"terminated of the environment: expected one number",
    "old_step": r"step of the environment: expected \(observation, reward, terminated.* found 4 values",
    "reset_without_info": r"reset of the environment: expected \(observation, info\), found ndarray",
    "reset_raises": r"reset of the environment raised ValueError: the simulator is not running \(odd_envs",
    "step_raises": r"step of the environment raised KeyError: 'joint_7'",
    "word_success": r"info\['success'\] of the environment: expected a truth value or numbers",
    "odd_progress": r"info\['progress'\] of the environment: expected one number, found str",
    "wrong_shape": r"observation of the environment: state: expected shape \(4,\) as its space says, found \(3,\)",
    "no_numbers": r"observation of the environment: state: expected numbers of shape \(4,\), found a str",
    "ragged_observation": r"observation of the environment: state: expected numbers on the CPU, found a list",
    "tensor_observation": r"state: expected numbers on the CPU, found a OnGpu \(can't convert cuda:0",
    "tensor_reward": r"reward of the environment: expected numbers on the CPU, found a OnGpu \(TypeError: can't",
    "ragged_success": r"info\['success'\] of the environment: expected numbers on the CPU, found a list",
    "none_observation": r"observation of the environment: state: expected numbers of shape \(4,\), found a NoneType",
}


def record(folder, *overrides):
    words = ["task=gym", f"task.expert={HERE}:Expert", "demo.demos=1", "demo.max_attempts=2"]
    return cli.main(["record", *words, f"run_root={folder}", "run_name=odd", *overrides])


@pytest.mark.parametrize("kind", WORKS)
def test_an_odd_environment_is_recorded(tmp_path, kind):
    status = record(tmp_path, f"task.entry_point={HERE}:make", f"task.arguments={{kind:{kind}}}")
    assert status == 0
    manifest = read_manifest(tmp_path / "odd" / "demos")
    assert sorted(field.name for field in manifest.schema.observation) == sorted(WORKS[kind])
    reader = LogReader(tmp_path / "odd" / "demos")
    rows = np.arange(len(reader))
    assert len(rows) > 1
    assert reader.gather(rows, "valid").all()
    reader.close()


@pytest.mark.parametrize("kind", REFUSED)
def test_an_odd_environment_is_refused_in_one_line(tmp_path, capsys, kind):
    assert record(tmp_path, f"task.entry_point={HERE}:make", f"task.arguments={{kind:{kind}}}") == 2
    *logged, line = capsys.readouterr().err.splitlines()
    assert line.startswith("steadyhand record: ")
    assert re.search(REFUSED[kind], line), line
    assert all(" steadyhand." in said for said in logged)  # a log's line of its own, as for rewards that are no numbers


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (f"task.entry_point={HERE}:make_none", "expected one gymnasium.Env, found builtins.NoneType"),
        (f"task.entry_point={HERE}:make_several", "SyncVectorEnv; make one"),
        (f"task.entry_point={HERE}:make_raising", "RuntimeError: no licence found for the simulator (odd_envs.py"),
        (f"task.entry_point={HERE}:make_exiting", "SystemExit: 3"),
        (f"task.entry_point={HERE}:Old", "expected one gymnasium.Env"),
        (f"task.entry_point={HERE}:Spaceless", "gymnasium space as its observation_space, found NoneType"),
        (f"task.entry_point={HERE}:not_callable", "expected a function or a class"),
        ("task.entry_point=tests.unit.robot_envs.odd_import:make", "failed: KeyError: 'ROBOT_IP'"),
        ("task.entry_point=gymnasium:make", "task.arguments: expected those of (id"),
        ("task.arguments={kid:plain}", "task.arguments: expected those of (kind"),
        ("task.arguments={1:2}", "task.arguments"),
        ("task.arguments=5", "task.arguments: expected"),
        ("task.arguments=[plain]", "task.arguments: expected"),
        ("task.arguments=plain", "task.arguments: expected"),
        ("task.control_period_s=0", "control_period_s: expected a number above 0"),
        ("task.max_steps=0", "max_steps: expected at least 1"),
        ("task.success_steps=0", "success_steps: expected at least 1"),
        ("task.action_bound=0", "action_bound: expected a number above 0"),
        (f"task.expert={HERE}:LongExpert", "task.expert: expected an action of shape (2,), found shape (3,)"),
        (f"task.expert={HERE}:NanExpert", "task.expert: expected finite numbers"),
        (f"task.expert={HERE}:DictExpert", "task.expert: expected an action of shape (2,), found a dict"),
        (f"task.expert={HERE}:SilentExpert", "task.expert: expected an action of shape (2,), found a NoneType"),
        (f"task.expert={HERE}:RaggedExpert", "task.expert: action: expected numbers on the CPU, found a list"),
        (f"task.expert={HERE}:RaisingExpert", "task.expert: act raised IndexError"),
        (f"task.expert={HERE}:HaltExpert", "found HaltExpert without reset"),
        (f"task.expert={HERE}:GreedyExpert", "task.expert: its arguments: expected those of (size"),
        (f"task.expert={HERE}:not_callable", "expected a function or a class"),
        ("task.expert=nowhere_at_all:Expert", "task.expert: cannot import"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(tmp_path, capsys, override, text):
    assert record(tmp_path, f"task.entry_point={HERE}:make", override) == 2
    line = capsys.readouterr().err
    assert line.startswith("steadyhand record: ")
    assert line.count("\n") == 1
    assert text in line


def test_an_unregistered_id_says_how_its_package_is_named(tmp_path, capsys):
    words = ["task.entry_point=gymnasium:make", "task.arguments={id:FetchReach-v4}"]
    assert record(tmp_path, *words) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "found 'FetchReach-v4'" in line
    assert "{id:'package:Name-v0'}" in line


def test_unbounded_actions_are_scaled_by_an_explicit_bound(tmp_path):
    words = [f"task.entry_point={HERE}:make", "task.arguments={kind:unbounded_action}", "task.action_bound=2.0"]
    assert record(tmp_path, *words) == 0
    reader = LogReader(tmp_path / "odd" / "demos")
    rows = np.arange(len(reader) - 1)
    np.testing.assert_allclose(reader.gather(rows, "gated_command"), 2.0 * reader.gather(rows, "action"), rtol=1e-5)
    reader.close()


@pytest.mark.parametrize(
    ("kind", "text"),
    [("silent", "expected success or is_success or succeed"), ("beyond_bounds", "observation state: expected values")],
)
def test_what_is_only_odd_is_said_once(tmp_path, kind, text):
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("steadyhand.gym_env")
    logger.addHandler(handler)
    try:
        record(tmp_path, f"task.entry_point={HERE}:make", f"task.arguments={{kind:{kind}}}", "task.max_steps=5")
    finally:
        logger.removeHandler(handler)
    assert sum(text in line for line in said) == 1


def test_wrappers_and_their_time_limit_are_kept(tmp_path):
    words = [f"task.entry_point={HERE}:make", "task.arguments={kind:plain,wrapped:true}"]
    assert record(tmp_path, *words) == 0
