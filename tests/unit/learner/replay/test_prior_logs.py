"""Practice of other runs in replay: what of it is sampled, what is imitated, and what it does not count as."""

import numpy as np
import pytest

from steadyhand.learner.algos.algorithm import Sampling
from steadyhand.learner.replay.mixer import Mixer
from steadyhand.learner.replay.replay_log import ReplayLog
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.record import Kind, Phase
from tests.unit.learner.logs import append, reader_of, session_id, write_episode, writer_in

STEPS = 4


@pytest.fixture
def logs(tmp_path):
    """A demo set (0), practice of this run (1), and practice of another one (2)."""
    writers = [writer_in(tmp_path / str(number), number) for number in range(3)]
    yield writers
    for writer in writers:
        writer.close()


def practise(writer, episode, success, human=(), final=True):
    """Append an episode of practice that succeeded or failed."""
    for step in range(STEPS):
        last = step == STEPS - 1
        done = success and last
        flags = {"terminated": done, "truncated": last and not success, "success": done, "reward": done}
        append(writer, episode, step, 2, phase=Phase.TRAIN, has_human=step in human, **flags)
    if final:
        append(writer, episode, STEPS, 2, phase=Phase.TRAIN, kind=Kind.FINAL)


def store_of(logs, **options):
    store = ReplayStore(1000, prior=[session_id(2)], **options)
    store.advance(store.refresh([reader_of(writer) for writer in logs]))
    return store


def sampler_of(store, make_spec, demo_ratio=0.5, prior_share=0.5, batch_size=8):
    return Sampler(store, make_spec(), Sampling(batch_size, 1, demo_ratio, 1, 0.9, 0), 3, None, prior_share)


def sources(block, slices):
    """Return which log each row of a block comes from, (slices, batch)."""
    return block["observation"]["state"][:, -1, 0].astype(int).reshape(slices, -1)


def test_a_person_s_actions_are_imitated_only_where_the_episode_did_not_fail(logs):
    practise(logs[2], 0, success=True, human=(1, 2))  # rows 0-4
    practise(logs[2], 1, success=False, human=(1, 2))  # rows 5-9
    log = ReplayLog(reader_of(logs[2]), prior=True)
    starts, human = log.advance(log.next_seq)
    assert starts.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]  # failures are learnt from
    assert human.tolist() == [1, 2, 6, 7]
    assert log.is_demo(np.arange(10)).nonzero()[0].tolist() == [1, 2]
    own = ReplayLog(reader_of(logs[2]))
    own.advance(own.next_seq)
    assert own.is_demo(np.arange(10)).nonzero()[0].tolist() == [1, 2, 6, 7]  # in this run's own practice all are


def test_a_label_has_the_last_word_about_an_episode(logs):
    practise(logs[2], 0, success=True, human=(1,))
    practise(logs[2], 1, success=False, human=(1,))
    for lo, hi, success in ((0, 5, False), (5, 10, True)):
        append_label(logs[2].folder, Label(session_id(2), lo, hi, None, None, success, "me", "2025-01-01T00:00:00Z"))
    log = ReplayLog(reader_of(logs[2]), prior=True)
    log.advance(log.next_seq)
    log.show_labels(log.next_label)
    assert log.is_demo(np.arange(10)).nonzero()[0].tolist() == [6]


def test_it_is_no_practice_of_this_run(logs):
    write_episode(logs[0], 0, 3, phase=Phase.DEMO)
    write_episode(logs[1], 0, 5, session=1)
    practise(logs[2], 0, success=False)
    store = store_of(logs)
    assert store.transitions == store.online_starts == 5
    assert store.steps_by_actor() == {"arm": 5}
    assert (store.demo_starts, store.prior_starts) == (3, 4)
    assert (len(store.online), len(store.demo), len(store.prior)) == (5, 3, 4)
    assert [store.is_prior(session_id(number)) for number in range(3)] == [False, False, True]


def test_an_episode_counts_when_it_has_ended(logs):
    practise(logs[2], 0, success=True)
    practise(logs[2], 1, success=True, human=(0,), final=False)
    store = ReplayStore(1000, prior=[session_id(2)])
    readers = [reader_of(logs[2])]
    assert store.refresh(readers) == {session_id(2): 5}
    store.advance({session_id(2): 5})
    append(logs[2], 1, STEPS, 2, phase=Phase.TRAIN, kind=Kind.FINAL)
    assert store.refresh(readers) == {session_id(2): 10}
    store.advance({session_id(2): 10})
    assert len(store.prior) == 8
    assert len(store.imitated) == 1


def test_a_snapshot_brings_back_the_same(logs, make_spec):
    write_episode(logs[0], 0, 3, phase=Phase.DEMO)
    write_episode(logs[1], 0, 5, session=1)
    practise(logs[2], 0, success=True, human=(1,))
    practise(logs[2], 1, success=False, human=(1,))
    store = store_of(logs)
    again = ReplayStore(1000, prior=[session_id(2)])
    again.load([reader_of(writer) for writer in logs], store.save())
    for name in ("online", "demo", "prior", "imitated"):
        np.testing.assert_array_equal(getattr(again, name), getattr(store, name))
    assert (again.transitions, again.prior_starts) == (5, 8)
    one, other = (sampler_of(each, make_spec).sample(7, 3) for each in (store, again))
    np.testing.assert_array_equal(one["observation"]["state"], other["observation"]["state"])
    np.testing.assert_array_equal(one["is_demo"], other["is_demo"])


@pytest.mark.parametrize(("demo_ratio", "prior_share"), [(0.5, 0.5), (0.5, 0.0), (0.25, 0.1), (0.0, 0.3), (1.0, 0.5)])
def test_every_batch_keeps_the_share_of_each_source(logs, make_spec, demo_ratio, prior_share):
    write_episode(logs[0], 0, 3, phase=Phase.DEMO)
    write_episode(logs[1], 0, 5, session=1)
    practise(logs[2], 0, success=False)
    block = sampler_of(store_of(logs), make_spec, demo_ratio, prior_share).sample(0, 100)
    counts = np.stack([(sources(block, 100) == number).sum(axis=1) for number in range(3)], axis=1)
    wanted = 8 * np.array([demo_ratio, (1 - demo_ratio) * (1 - prior_share), (1 - demo_ratio) * prior_share])
    assert (np.abs(counts - wanted) <= 1.0).all()
    np.testing.assert_allclose(counts.sum(axis=0), 100 * wanted, atol=1.0)


def test_without_other_runs_the_same_rows_are_drawn_as_ever(logs, make_spec):
    write_episode(logs[0], 0, 3, phase=Phase.DEMO)
    write_episode(logs[1], 0, 5, session=1)
    store = store_of(logs[:2])
    one, other = (sampler_of(store, make_spec, prior_share=share).sample(3, 5) for share in (0.0, 0.9))
    np.testing.assert_array_equal(one["observation"]["state"], other["observation"]["state"])


@pytest.mark.parametrize(("demo_ratio", "demo_share"), [(0.0, 3 / 11), (0.5, 0.5), (1.0, 1.0)])
def test_pretraining_sees_demonstrations_and_failures_and_nothing_of_this_run(logs, make_spec, demo_ratio, demo_share):
    write_episode(logs[0], 0, 3, phase=Phase.DEMO)
    write_episode(logs[1], 0, 5, session=1)
    practise(logs[2], 0, success=False)
    practise(logs[2], 1, success=False)
    block = sampler_of(store_of(logs), make_spec, demo_ratio).sample(0, 110, offline=True)
    found = sources(block, 110)
    assert (found != 1).all()
    assert abs((found == 0).sum() - 110 * 8 * demo_share) <= 1
    assert not block["is_demo"].reshape(110, -1)[found == 2].any()


def test_other_runs_alone_are_enough(logs, make_spec):
    practise(logs[2], 0, success=False)
    sampler = sampler_of(store_of(logs), make_spec)
    for offline in (False, True):
        assert (sources(sampler.sample(0, 4, offline), 4) == 2).all()


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match="prior_share"):
        Mixer(0.5, 8, 1.1)
