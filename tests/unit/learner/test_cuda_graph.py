import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from steadyhand.learner.algos import batch
from steadyhand.learner.algos.sac import Sac
from steadyhand.learner.cuda_graph import CudaGraphSteps, Recording, record_on_cuda
from steadyhand.policies import Policy

pytestmark = pytest.mark.slow


def record_by_tracing(step, generator):
    """Record on the CPU as a CUDA graph does on its device: every operation once, with what it found on the host."""
    metrics = {}

    def traced():
        metrics.clear()
        metrics.update(step())
        return metrics

    graph = make_fx(traced)()
    return Recording(torch.no_grad()(lambda: metrics.update(graph())), metrics)  # the gradients are in the graph


@pytest.fixture(params=["state", "pixels"])
def make_sac(request, make_config, make_spec, monkeypatch):
    def shifted_at_once(frames, pixels, noise):
        offset = noise.integers(2 * pixels + 1, (2, frames.shape[0]))
        return batch._shifted_at_once(frames, pixels, offset)

    monkeypatch.setattr(batch, "random_shift", shifted_at_once)  # as on any device but a CPU

    def make(device="cpu"):
        spec = make_spec(request.param == "pixels")
        config = make_config(actor_bc_weight=1.0, actor_bc_q_filter=True, backup_entropy=True, policy_ema=0.1)
        return Sac(config, Policy(spec, 0).to(device), 0)

    return make


def copied(sac):
    return {name: value.clone() for name, value in sac.state_tensors().items()}


def assert_same(found, expected, **tolerance):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=lambda text, name=name: f"{name}: {text}", **tolerance)


KINDS = ("pretrain", "pretrain", "pretrain", "update", "update", "update", "pretrain", "update")


def test_recorded_steps_are_the_algorithms_own_bit_for_bit(make_sac, make_block, caplog):
    eager, algo = make_sac(), make_sac()
    recorded = CudaGraphSteps(algo, record_by_tracing)
    with caplog.at_level(logging.WARNING):
        for seed, kind in enumerate(KINDS):
            block = make_block(algo.policy.spec, seed=seed)
            expected = getattr(eager, kind)(block)
            assert_same(getattr(recorded, kind)(block), expected, rtol=0, atol=0)
            assert_same(algo.state_tensors(), copied(eager), rtol=0, atol=0)
    assert not caplog.records


def test_a_recording_holds_every_kernel_and_no_step_is_made_twice(make_sac, make_block):
    algo, made = make_sac(), []

    def record(step, generator):
        recording = record_by_tracing(step, generator)
        return Recording(lambda: made.append(recording.replay()), recording.metrics)

    steps, block = CudaGraphSteps(algo, record), make_block(algo.policy.spec)
    for count in range(1, 4):
        steps.update(block)
        assert algo.state_tensors()["optimizer/critic/steps/0"] == 2 * count  # policy_delay critic steps an update
        assert len(made) == count  # the first one is the trial


@pytest.mark.parametrize("fault", ["raises", "does nothing", "keeps its inputs", "keeps its noise"])
def test_a_recording_that_does_otherwise_is_given_up(make_sac, make_block, caplog, fault):
    eager, algo = make_sac(), make_sac()

    def record(step, generator):
        if fault == "raises":
            step()
            raise RuntimeError("operation not permitted when stream is capturing")
        if fault == "does nothing":
            return Recording(lambda: None, step())
        if fault == "keeps its inputs":
            return Recording(lambda: algo.update(make_block(algo.policy.spec, seed=99)), step())
        return Recording(lambda: (generator.manual_seed(5), step()), step())

    steps = CudaGraphSteps(algo, record)
    with caplog.at_level(logging.WARNING):
        for seed in range(3):
            block = make_block(algo.policy.spec, seed=seed)
            assert_same(steps.update(block), eager.update(block), rtol=0, atol=0)
            assert_same(algo.state_tensors(), copied(eager), rtol=0, atol=0)
    assert len(caplog.records) == 1
    assert "recording is off" in caplog.text
    assert steps.is_off


def test_a_whole_step_of_rounding_in_one_small_tensor_is_no_difference(make_sac, make_block):
    algo = make_sac()

    def record(step, generator):
        recording = record_by_tracing(step, generator)

        def replay():
            recording.replay()
            algo.policy.trunk[0].bias.data[0] += 2 * algo.settings.policy_lr

        return Recording(replay, recording.metrics)

    steps = CudaGraphSteps(algo, record)
    steps.update(make_block(algo.policy.spec))
    assert not steps.is_off


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a CUDA device")
def test_a_cuda_graph_makes_the_algorithms_own_steps(make_sac, make_block, caplog):
    eager, algo = make_sac("cuda"), make_sac("cuda")
    recorded = CudaGraphSteps(algo, record_on_cuda)
    ended = threading.Event()

    def other_work():
        while not ended.is_set():  # as the threads that prefetch and that fill the feature cache
            torch.zeros(1 << 20).pin_memory().to("cuda", non_blocking=True)

    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(1) as executor, ExitStack() as stack:
        stack.callback(ended.set)
        other = executor.submit(other_work)
        for seed, kind in enumerate(KINDS):
            block = make_block(algo.policy.spec, seed=seed)
            getattr(eager, kind)(block)
            getattr(recorded, kind)(block)
            assert_same(algo.state_tensors(), copied(eager), rtol=1e-2, atol=1e-3)
        ended.set()
        other.result()
    assert not caplog.records
