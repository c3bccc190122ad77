import logging
import os
import shutil
from itertools import count

import numpy as np
import pytest
import torch

from steadyhand.learner.algos.bc import Bc, BcSettings
from steadyhand.learner.algos.sac import Sac
from steadyhand.learner.compile_ahead import CompileJob, check, read_job, write_job
from steadyhand.learner.compiled_steps import CompiledSteps
from steadyhand.learner.compiled_update import CompilationError, CompiledUpdate
from steadyhand.policies import Policy
from tests.settings_kit import shipped
from tests.transport_kit import CLOCK, wait_until

NEEDS_COMPILER = pytest.mark.skipif(
    shutil.which("g++") is None or " " in torch.__file__,
    reason="inductor needs a C++ compiler, and links against torch only in a folder without blanks",
)
PATIENCE_S = 240.0
pytestmark = pytest.mark.usefixtures("forget_compiled_code")


@pytest.fixture
def make_sac(make_config, make_spec):
    return lambda pixels=False: Sac(make_config(actor_bc_weight=1.0), Policy(make_spec(pixels), 0), 0)


@pytest.fixture
def steps_of():
    opened = []

    def open_steps(algo):
        opened.append(CompiledSteps(algo))
        return opened[-1]

    yield open_steps
    for steps in opened:
        steps.close()


def train(steps, make_block, spec, until):
    """Make updates until a condition holds; returns their number."""
    seeds = count()

    def has_come():
        steps.update(make_block(spec, seed=next(seeds)))
        return until()

    wait_until(has_come, PATIENCE_S)
    return next(seeds)


@NEEDS_COMPILER
@pytest.mark.slow
def test_training_goes_on_while_a_process_compiles_and_then_by_compiled_steps(make_spec, make_block, steps_of, caplog):
    settings = shipped(BcSettings, "algo", "algo=bc", batch_size=16)  # the smallest graph: compilation takes long
    algo, eager = (Bc(settings, Policy(make_spec(), 0), 0) for _ in range(2))
    steps = steps_of(algo)
    with caplog.at_level(logging.INFO):
        made = train(steps, make_block, algo.policy.spec, lambda: steps.is_compiled)
        for seed in range(made, made + 5):
            steps.update(make_block(algo.policy.spec, seed=seed))
    assert made > 20
    assert "updates are compiled from here on" in caplog.text
    for seed in range(made + 5):
        eager.update(make_block(eager.policy.spec, seed=seed))
    found = algo.state_tensors()
    assert torch.equal(found["generator"], eager.state_tensors()["generator"])
    for name, value in eager.state_tensors().items():
        if name.startswith("policy/"):
            torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4, msg=name)


def test_a_process_that_fails_leaves_updates_uncompiled_with_its_reason(
    make_sac, make_block, steps_of, caplog, monkeypatch
):
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    algo, eager = make_sac(), make_sac()
    steps = steps_of(algo)
    with caplog.at_level(logging.WARNING):
        made = train(steps, make_block, algo.policy.spec, lambda: bool(caplog.records))
        steps.update(make_block(algo.policy.spec, seed=made))
    assert [record.getMessage() for record in caplog.records] == [
        "learner.compile=true: updates stay uncompiled: the compiling process ended with status 1"
    ]
    assert not steps.is_compiled
    for seed in range(made + 1):
        eager.update(make_block(eager.policy.spec, seed=seed))
    assert all(torch.equal(algo.state_tensors()[name], value) for name, value in eager.state_tensors().items())


def test_updates_on_frames_stay_uncompiled_with_a_reason(make_sac, make_block, steps_of, caplog):
    algo = make_sac(pixels=True)
    steps = steps_of(algo)
    with caplog.at_level(logging.WARNING):
        for seed in range(2):
            steps.pretrain(make_block(algo.policy.spec, seed=seed))
            steps.update(make_block(algo.policy.spec, seed=seed))
    assert len(caplog.records) == 1
    assert "blocks have frames" in caplog.text


def test_a_compiler_that_fails_later_is_given_up(make_sac, make_block, steps_of, caplog, monkeypatch):
    def fails(update, block):
        raise CompilationError("the cache is gone")

    monkeypatch.setattr("sys.executable", shutil.which("true"))
    monkeypatch.setattr(CompiledUpdate, "__call__", fails)
    algo = make_sac()
    steps = steps_of(algo)
    with caplog.at_level(logging.WARNING):
        train(steps, make_block, algo.policy.spec, lambda: bool(caplog.records))
        steps.update(make_block(algo.policy.spec))
    assert len(caplog.records) == 1
    assert "the cache is gone" in caplog.text


def test_closing_ends_the_process_at_once(make_sac, make_block):
    steps = CompiledSteps(make_sac())
    steps.pretrain(make_block(steps._algo.policy.spec))
    process = steps._process
    assert process.poll() is None
    began_ns = CLOCK.now_ns()
    steps.close()
    assert CLOCK.now_ns() - began_ns < 1e9
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_compiled_update_that_makes_another_step_is_refused(make_sac, make_block, monkeypatch):
    class Wrong(CompiledUpdate):
        def __call__(self, block):
            metrics = self._algo.update(block)
            self._algo.critic.weights[0].data.mul_(1.01)
            return metrics

    monkeypatch.setattr("steadyhand.learner.compile_ahead.CompiledUpdate", Wrong)
    algo = make_sac()
    with pytest.raises(CompilationError, match=r"changes .'critic.* otherwise"):
        check(algo, make_block(algo.policy.spec))


def test_a_job_is_read_as_it_was_written(make_sac, make_block, tmp_path):
    algo = make_sac()
    block = make_block(algo.policy.spec)
    write_job(tmp_path, CompileJob.of(algo, None), block)
    job, found = read_job(tmp_path)
    assert job.make().settings == algo.settings
    assert job.make().policy.spec == algo.policy.spec
    assert found.keys() == block.keys()
    for name, value in block.items():
        np.testing.assert_equal(found[name], value)
