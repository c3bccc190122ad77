import numpy as np
import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.onnx_runner import OnnxRunner
from steadyhand.actor.policy_description import ExportedPolicyError
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.weights import Weights
from tests.unit.actor.exported import TASK, VERSION, walking_file, walking_policy
from tests.unit.actor.point_env import PointEnv
from tests.unit.actor.policy_kit import SPEC, observation

SCHEMA = env_schema(PointEnv())


@pytest.fixture(scope="module")
def policy():
    return OnnxPolicy(walking_file(), "policy.onnx")


def test_it_acts_as_the_runner_with_torch_does(policy):
    with_torch, runner = PolicyRunner(SPEC, SCHEMA, FakeClock(), seed=0), OnnxRunner(policy, SCHEMA, TASK)
    saved = walking_policy()
    assert with_torch.offer(Weights(saved.learner_epoch, saved.policy_version, saved.tensors))
    assert runner.ready
    assert runner.policy_version == VERSION
    rng = np.random.default_rng(0)
    for episode in range(3):
        for step in range(6):
            seen = {name: rng.normal(size=2).astype(np.float32) for name in observation(0.0)}
            for each in (with_torch, runner):
                (each.observe if step else each.begin)(seen)
            np.testing.assert_allclose(runner.act(True), with_torch.act(True), atol=1e-5, err_msg=f"{episode} {step}")


def test_it_makes_no_draws(policy):
    runner = OnnxRunner(policy, SCHEMA, TASK)
    runner.begin(observation(0.1))
    with pytest.raises(ValueError, match="makes no draws"):
        runner.act(False)


def test_more_than_the_policy_reads_is_no_reason_to_refuse(policy):
    OnnxRunner(policy, env_schema(PointEnv(frames=True)), TASK)


def test_another_environment_is_refused_with_every_difference(policy):
    with pytest.raises(ExportedPolicyError, match=r"control_period_s: expected 0.1, found 0.2; choose the task"):
        OnnxRunner(policy, env_schema(PointEnv(period_s=0.2)), TASK)
