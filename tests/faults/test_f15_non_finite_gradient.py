"""F15: a loss or a gradient is not finite. The step is skipped and counted, and no such policy is ever published."""

from contextlib import closing
from itertools import count

import numpy as np
import pytest
import safetensors.numpy
import torch

from steadyhand.learner.learner import Learner
from steadyhand.learner.resume import STATE_FILE
from steadyhand.learner.training_scalars import TrainingDivergedError
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport import weights as weights_codec
from tests.faults.resume_run import learner_settings, prepare

DELAY = 2  # critic steps in a block


class Training:
    """A real learner over logs that stand still; in the blocks `at`, `field` of every row is `value`."""

    def __init__(self, folder, at=(), field="reward", value=np.nan) -> None:
        if not (folder / "run").exists():
            prepare(folder / "run")
        self.learner = Learner(learner_settings(), RunFolder(folder, "run"))
        self.published: list[bytes] = []
        self.learner.intake.publish = self.published.append
        assert self.learner.step()
        sampler, blocks = self.learner.loop._prefetcher._sampler, count(1)
        sample = sampler.sample

        def poisoned(*args, **options):
            block = sample(*args, **options)
            if next(blocks) in at:
                block[field][...] = value
            return block

        sampler.sample = poisoned

    def run(self, updates: int) -> None:
        while self.learner.loop.counters.updates < updates:
            assert self.learner.step()

    def published_non_finite(self) -> int:
        """Return how many published policies are not finite; each must be readable."""
        sound = [weights_codec.decode(raw) for raw in self.published]
        return sum(not all(np.isfinite(value).all() for value in each.tensors.values()) for each in sound)

    def check(self, skipped: int) -> int:
        loop = self.learner.loop
        assert loop._algo.skipped() == skipped, "a step was not skipped"
        assert all(torch.isfinite(value.float()).all() for value in loop._algo.state_tensors().values())
        assert len(self.published) == loop.counters.policy_version > 3
        return self.published_non_finite()


@pytest.mark.parametrize(("field", "value"), [("reward", np.nan), ("discount", np.nan)])
def test_steps_on_a_bad_batch_are_skipped_and_training_goes_on(tmp_path, field, value, record_property):
    training = Training(tmp_path, at=(3, 4, 9), field=field, value=value)
    with closing(training.learner):
        training.run(60)
        bad = training.check(skipped=3 * DELAY)
    record_property("published_non_finite", bad)
    assert bad == 0


def test_the_steps_between_are_those_of_an_untouched_training(tmp_path):
    """A skipped step leaves the moments alone: nothing of the bad batch stays behind."""
    training = Training(tmp_path, at=(3,))
    with closing(training.learner):
        training.run(4)
        before = {name: value.clone() for name, value in training.learner.loop._algo.state_tensors().items()}
        optimizer = training.learner.loop._algo.optimizers["critic"]
        optimizer.step(sum(parameter.sum() for parameter in optimizer._parameters) * torch.inf)
        after = training.learner.loop._algo.state_tensors()
        changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"optimizer/critic/skipped"}


def test_losses_that_stay_bad_end_training_and_the_next_start_goes_on_from_a_sound_checkpoint(tmp_path):
    training = Training(tmp_path, at=range(30, 10_000), value=np.nan)
    with pytest.raises(TrainingDivergedError, match="finite losses"), closing(training.learner):
        training.run(200)
    assert training.published_non_finite() == 0
    again = Training(tmp_path)
    with closing(again.learner):
        saved = safetensors.numpy.load(again.learner._checkpoint.files[STATE_FILE])
        assert all(np.isfinite(value.astype(np.float64)).all() for value in saved.values())
        again.run(again.learner.loop.counters.updates + 20)


def test_without_the_guard_the_policy_would_be_ruined_and_is_not_published_even_then(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "isfinite", lambda value: torch.ones_like(value, dtype=torch.bool))
    training = Training(tmp_path, at=(3,), value=np.nan)
    with closing(training.learner):
        training.run(30)
        with pytest.raises(AssertionError, match="not skipped"):
            training.check(skipped=DELAY)
    assert training.published_non_finite() == 0
    assert training.learner.loop._admission.refused > 0
