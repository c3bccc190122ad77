import numpy as np
import pytest

from steadyhand.learner.algos.algorithm import Sampling
from steadyhand.learner.replay.gripper_changes import gripper_changes
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.record import Kind, Phase
from tests.unit.learner.logs import append, reader_of, writer_in

GAMMA = 0.5
GRIPPERS = [1.0, 0.0, 1.0, -1.0, 0.1, -1.0, 0.9]  # open, stay, open, close, stay, close, open
CHANGES = [0, 0, 0, 1, 0, 0, 1]


@pytest.fixture
def store(tmp_path):
    """Two episodes of one log; the second begins with the gripper closed."""
    writer = writer_in(tmp_path)
    for episode, grippers in enumerate((GRIPPERS, [-1.0, 0.0, 0.0, 1.0])):
        for step, gripper in enumerate(grippers):
            ends = step == len(grippers) - 1
            append(writer, episode, step, phase=Phase.TRAIN, action=(0.2, gripper), terminated=ends)
        append(writer, episode, len(grippers), phase=Phase.TRAIN, kind=Kind.FINAL)
    store = ReplayStore(capacity=1000)
    store.advance(store.refresh([reader_of(writer)]))
    yield store
    writer.close()


def counted(store, n_step):
    ((log, _, rows),) = store.by_log(store.online)
    reached, _, _ = log.n_step(rows, n_step, GAMMA)
    return gripper_changes(log, rows, reached, GAMMA, (1,))[:, 0].tolist()


def test_a_step_that_commands_the_other_state_is_a_change(store):
    assert counted(store, 1) == [*CHANGES, 0, 0, 0, 1]


def test_the_counts_of_several_steps_are_discounted_and_end_with_the_episode(store):
    expected = [sum(GAMMA**i * change for i, change in enumerate(CHANGES[at : at + 3])) for at in range(7)]
    assert counted(store, 3) == [*expected, 0.0, 0.25, 0.5, 1.0]


def test_the_first_command_of_an_episode_is_no_change(store):
    assert counted(store, 1)[7] == 0


def test_a_block_has_them_for_each_decision_alone(store, make_spec):
    sampling = Sampling(8, 1, 0.0, 3, GAMMA, 0)
    ids = store.online
    spec = make_spec(gripper_entries=(1,), gripper_head="decisions")
    sampler = Sampler(store, spec, sampling, 0)
    found = sampler.gather(ids)["gripper_changes"]
    assert found[:, 0].tolist() == counted(store, 3)
    shuffled = np.random.default_rng(0).permutation(len(ids))
    np.testing.assert_array_equal(sampler.gather(ids[shuffled])["gripper_changes"], found[shuffled])
    plain = make_spec(gripper_entries=(1,))
    assert Sampler(store, plain, sampling, 0).gather(ids)["gripper_changes"].shape == (len(ids), 0)
