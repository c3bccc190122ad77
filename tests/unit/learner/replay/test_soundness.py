import numpy as np

from steadyhand.learner.replay.replay_log import ReplayLog
from steadyhand.learner.replay.soundness import Soundness, fit_rows
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.record_check import RecordCheck
from tests.integrity.plain_log import flip
from tests.unit.learner.logs import SCHEMA, append, reader_of, session_id, write_episode, writer_in


def log_of(folder, episodes: int = 3, steps: int = 9):
    writer = writer_in(folder)
    for episode in range(episodes):
        write_episode(writer, episode, steps)
    writer.close()
    return writer


def test_damaged_and_unfit_records_are_found_once_and_reported_once(tmp_path, caplog):
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 9)
    append(writer, 1, 0, **{"observation/state": [np.nan, 0, 0]})
    append(writer, 1, 1)
    writer.close()
    flip(tmp_path, 4)
    soundness = Soundness(reader_of(writer))
    for _ in range(2):
        assert np.flatnonzero(soundness.bad(np.arange(12))).tolist() == [4, 10]
    assert soundness.unfit == 2
    assert caplog.text.count("seq 4, 10, episode 0, step 4: damaged or unfit; not trained on") == 1


def test_fit_rows_is_the_same_without_a_memory(tmp_path):
    writer = log_of(tmp_path)
    flip(tmp_path, 7)
    assert np.flatnonzero(~fit_rows(reader_of(writer), RecordCheck(SCHEMA), np.arange(30))).tolist() == [7]


def test_what_was_taken_over_is_checked_when_it_is_used(tmp_path):
    writer = log_of(tmp_path)
    flip(tmp_path, 7)
    soundness = Soundness(reader_of(writer))
    soundness.assume(30)
    assert soundness.unknown == 30
    assert soundness.bad(np.array([1, 2, 3])).tolist() == [False] * 3
    assert soundness.unknown == 27
    assert soundness.bad(np.array([7, 8, 7])).tolist() == [True, False, True]
    assert soundness.unknown == 25


def test_a_damaged_record_starts_nothing_and_follows_nothing(tmp_path):
    writer = log_of(tmp_path)
    flip(tmp_path, 13)
    log = ReplayLog(reader_of(writer))
    online, _ = log.advance(30)
    expected = [row for row in range(30) if row % 10 != 9 and row not in (12, 13)]
    assert online.tolist() == expected
    assert log.online_starts == len(expected)
    assert log.quarantined == 1
    reached, total, _ = log.n_step(np.array([10]), 5, 1.0)
    assert (reached.tolist(), total.tolist()) == ([12], [0.0])  # the sum ends before the damaged record


def test_a_repair_puts_the_steps_back(tmp_path):
    writer = log_of(tmp_path)
    reference = ReplayStore(1000)
    reference.advance(reference.refresh([reader_of(writer)]))
    flip(tmp_path, 13)
    store, reader = ReplayStore(1000), reader_of(writer)
    store.advance(store.refresh([reader]))
    assert len(store.online) == len(reference.online) - 2
    flip(tmp_path, 13)
    store.recheck(session_id(0), [13])
    assert sorted(store.online.tolist()) == reference.online.tolist()
    assert (store.online_starts, store.transitions) == (reference.online_starts, reference.transitions)
    store.recheck(session_id(0), [13, 9999])
    store.recheck("unknown", [1])
    assert sorted(store.online.tolist()) == reference.online.tolist()


def test_damage_at_the_edge_of_what_is_visible(tmp_path):
    writer = log_of(tmp_path)
    store, reader = ReplayStore(1000), reader_of(writer)
    store.refresh([reader])
    store.advance({session_id(0): 14})
    flip(tmp_path, 13)
    store.recheck(session_id(0), [13])
    assert store.online.tolist() == [*range(9), 10, 11]
    store.advance({session_id(0): 30})
    assert store.online.tolist() == [*range(9), 10, 11, *range(14, 19), *range(20, 29)]
    flip(tmp_path, 13)
    store.recheck(session_id(0), [13])
    assert sorted(store.online.tolist()) == [row for row in range(30) if row % 10 != 9]


def test_what_a_takeover_cuts_short_is_checked_where_it_ends(tmp_path):
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 9, human=(3, 4))
    writer.close()
    log = ReplayLog(reader_of(writer))
    log.advance(10)
    loaded = ReplayLog(reader_of(writer), log.save())
    flip(tmp_path, 3)  # the person's first record, at which the sum of the step before it ends
    start, taken = np.array([2]), 0.0
    assert loaded.n_step(start, 3, 0.9, taken)[0].tolist() == [3]
    assert loaded.unfit(start, 3, 0.9, 1, taken).tolist() == [3]
