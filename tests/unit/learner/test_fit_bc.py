from dataclasses import replace

import numpy as np
import pytest

from steadyhand.learner.algos.bc import BcSettings
from steadyhand.learner.config import FitConfig
from steadyhand.learner.fit_bc import BcDataError, fit_bc, open_store
from steadyhand.policies import Policy
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.record import Phase
from tests.unit.learner.logs import session_id, write_episode, writer_in

SETTINGS = BcSettings(batch_size=32, loss="mse", policy_lr=1e-2, image_shift=0)
FIT = FitConfig(epochs=40, validation_share=0.25, candidates=4)


@pytest.fixture
def demos(tmp_path):
    writer = writer_in(tmp_path / "demos")
    for episode in range(8):
        write_episode(writer, episode, 10, phase=Phase.DEMO)
    writer.close()
    return writer.folder


def test_candidates_get_better_and_are_spread_over_the_epochs(demos, make_spec):
    store, _ = open_store([demos])
    candidates = fit_bc(store, make_spec(), SETTINGS, FIT, seed=0)
    assert [candidate.epoch for candidate in candidates] == [10, 20, 30, 40]
    assert candidates[-1].train_loss < 0.1 * candidates[0].train_loss + 0.01
    assert candidates[-1].validation_mse < 0.02
    policy = Policy(make_spec(), seed=9)
    policy.load_tensors(candidates[-1].tensors)
    action = policy.act({"state": np.array([[0, 3, 4]], np.float32)}, deterministic=True)
    np.testing.assert_allclose(action, [np.tanh(0.3 - 0.3), np.tanh(0.2 - 0.2)], atol=0.15)


def test_the_seed_fixes_the_candidates(demos, make_spec):
    store, _ = open_store([demos])
    first, second = (fit_bc(store, make_spec(), SETTINGS, FIT, seed=4)[-1] for _ in range(2))
    assert first.validation_loss == second.validation_loss
    for name, value in first.tensors.items():
        np.testing.assert_array_equal(value, second.tensors[name])


def test_whole_episodes_are_held_out(demos, make_spec, monkeypatch):
    store, _ = open_store([demos])
    seen = {"update": set(), "evaluate": set()}
    from steadyhand.learner.algos.bc import Bc

    for name in seen:
        original = getattr(Bc, name)

        def spy(self, block, original=original, name=name):
            seen[name] |= {int(episode) for episode in block["observation"]["state"][:, -1, 1]}
            return original(self, block)

        monkeypatch.setattr(Bc, name, spy)
    fit_bc(store, make_spec(), SETTINGS, FIT, seed=0)
    assert len(seen["evaluate"]) == 2
    assert seen["update"] == set(range(8)) - seen["evaluate"]


def test_interventions_are_cloned_too_and_practice_is_not(demos, make_spec, tmp_path):
    writer = writer_in(tmp_path / "online", 1)
    write_episode(writer, 100, 10, human=(2, 3))
    writer.close()
    store, _ = open_store([demos, writer.folder])
    assert len(store.demo) == 82


def test_a_demonstration_that_was_called_a_failure_is_not_cloned(demos, make_spec):
    first = Label(session_id(0), 0, 11, None, None, False, "me", "")
    append_label(demos, first)
    store, _ = open_store([demos])
    assert (len(store.demo), len(store.imitated)) == (80, 70)
    append_label(demos, replace(first, end_seq=88))
    store, _ = open_store([demos])
    with pytest.raises(BcDataError, match="labels call all of them failures"):
        fit_bc(store, make_spec(), SETTINGS, FIT, seed=0)


def test_a_stop_ends_after_the_epoch_with_its_policy(demos, make_spec):
    store, _ = open_store([demos])
    (candidate,) = fit_bc(store, make_spec(), SETTINGS, FIT, seed=0, stop=lambda: True)
    assert candidate.epoch == 1


def test_without_held_out_episodes_there_is_no_validation_error(demos, make_spec):
    store, _ = open_store([demos])
    fit = FitConfig(epochs=1, validation_share=0.0, candidates=1)
    (candidate,) = fit_bc(store, make_spec(), SETTINGS, fit, seed=0)
    assert np.isnan(candidate.validation_loss)


def test_nothing_to_clone_is_refused(tmp_path, make_spec):
    writer = writer_in(tmp_path / "online")
    write_episode(writer, 0, 5)
    writer.close()
    store, _ = open_store([writer.folder])
    with pytest.raises(BcDataError, match="record some"):
        fit_bc(store, make_spec(), SETTINGS, FIT, seed=0)
