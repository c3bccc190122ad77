"""Demonstrations and corrections of an earlier run in replay: an index of their own, with a small share."""

import numpy as np
import pytest

from steadyhand.learner.algos.algorithm import Sampling
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.record import Phase
from tests.integrity.plain_log import flip
from tests.unit.learner.logs import reader_of, session_id, write_episode, writer_in

OWN, ONLINE, OLD, OLD_PRACTICE = range(4)
EARLIER = [session_id(OLD), session_id(OLD_PRACTICE)]


@pytest.fixture
def readers(tmp_path):
    """Demonstrations and practice of this run, and ten times as many of an earlier one."""
    writers = [writer_in(tmp_path / str(number), number) for number in range(4)]
    for number, episodes in ((OWN, 2), (ONLINE, 2), (OLD, 20), (OLD_PRACTICE, 20)):
        phase = Phase.DEMO if number in (OWN, OLD) else Phase.TRAIN
        for episode in range(episodes):
            human = (1,) if phase == Phase.TRAIN else ()
            write_episode(writers[number], episode, 4, phase=phase, human=human, session=number)
    yield [reader_of(writer) for writer in writers]
    for writer in writers:
        writer.close()


def store_of(readers, earlier=EARLIER):
    store = ReplayStore(1000, prior=[session_id(OLD_PRACTICE)], earlier=earlier)
    store.advance(store.refresh(readers))
    return store


def logs_of(ids):
    return set((ids >> 40).tolist())


def sampled(store, make_spec, share, slices=50, offline=False):
    """Return which log each row comes from, (slices, batch)."""
    sampler = Sampler(store, make_spec(), Sampling(20, 1, 0.5, 1, 0.9, 0), 3, earlier_share=share)
    block = sampler.sample(0, slices, offline)
    assert block["is_demo"].any()
    return block["observation"]["state"][:, -1, 0].astype(int).reshape(slices, -1)


def test_its_demonstrations_and_corrections_are_apart_from_the_run_s_own(readers):
    store = store_of(readers)
    assert logs_of(store.demo) == {OWN, ONLINE}
    assert logs_of(store.earlier) == {OLD, OLD_PRACTICE}
    assert logs_of(store.prior) == {OLD_PRACTICE}
    assert store.demo_starts == len(store.demo) + len(store.earlier)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_they_are_sampled_at_their_share_however_many_there_are(readers, make_spec, share):
    found = sampled(store_of(readers), make_spec, share)[:, :10]  # the demo rows come first
    assert (np.isin(found, (OLD, OLD_PRACTICE)).sum(axis=1) == share * 10).all()


def test_pretraining_keeps_the_share(readers, make_spec):
    found = sampled(store_of(readers[:OLD_PRACTICE]), make_spec, 0.2, offline=True)  # no practice: demo rows alone
    assert ((found == OLD).sum(axis=1) == 4).all()


def test_without_an_index_of_their_own_they_crowd_out_the_run_s_own(readers, make_spec):
    """The twin: the same records as ordinary demonstrations are sampled by their number."""
    found = sampled(store_of(readers, earlier=()), make_spec, 0.2)[:, :10]
    assert np.isin(found, (OLD, OLD_PRACTICE)).mean() > 0.8


def test_a_snapshot_holds_the_index(readers):
    store = store_of(readers)
    again = ReplayStore(1000, prior=[session_id(OLD_PRACTICE)], earlier=EARLIER)
    again.load(readers, store.save())
    for name in ("demo", "earlier", "prior", "online"):
        np.testing.assert_array_equal(getattr(again, name), getattr(store, name))


def test_a_damaged_record_is_left_out_and_comes_back_repaired(readers):
    store = store_of(readers)
    before = store.earlier.tolist()
    flip(readers[OLD].folder, 6)  # the second step of the second episode
    store.recheck(session_id(OLD), [6])
    assert len(store.earlier) == len(before) - 2
    flip(readers[OLD].folder, 6)
    store.recheck(session_id(OLD), [6])
    assert sorted(store.earlier.tolist()) == sorted(before)
