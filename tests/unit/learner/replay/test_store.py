import numpy as np
import pytest

from steadyhand.learner.replay.replay_log import SnapshotError
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.record import Phase
from tests.unit.learner.logs import append, reader_of, session_id, write_episode, writer_in


@pytest.fixture
def writers(tmp_path):
    writers = [writer_in(tmp_path / str(number), number) for number in range(2)]
    yield writers
    for writer in writers:
        writer.close()


def seen(store, ids):
    """(session, step in the log) of each id."""
    out = [None] * len(ids)
    for log, places, rows in store.by_log(ids):
        places = range(len(ids)) if isinstance(places, slice) else places.tolist()
        for place, row in zip(places, rows.tolist(), strict=True):
            out[place] = int(log.session_id, 16), row
    return out


def test_index_sets_over_two_sessions_in_the_order_of_arrival(writers):
    first, second = writers
    store = ReplayStore(capacity=1000)
    write_episode(first, 0, 2, phase=Phase.DEMO)
    store.advance(store.refresh([reader_of(first)]))
    write_episode(second, 0, 2)
    readers = [reader_of(first), reader_of(second)]
    store.advance(store.refresh(readers))
    write_episode(first, 1, 1, human=(0,))
    store.advance(store.refresh(readers))
    assert seen(store, store.online) == [(1, 0), (1, 1), (0, 3)]
    assert seen(store, store.demo) == [(0, 0), (0, 1), (0, 3)]
    assert store.transitions == 3
    assert store.steps() == {session_id(0): 1, session_id(1): 2}


def test_refresh_alone_shows_nothing(writers):
    write_episode(writers[0], 0, 4)
    store = ReplayStore(capacity=1000)
    watermark = store.refresh([reader_of(writers[0])])
    assert watermark == {session_id(0): 5}
    assert len(store.online) == 0
    assert store.transitions == store.online_starts == 4
    store.advance({session_id(0): 3})
    assert len(store.online) == 2
    assert store.transitions == store.online_starts == 4


def test_the_same_watermarks_give_the_same_index(writers):
    live = ReplayStore(capacity=1000)
    watermarks = []
    readers = []
    for episode in range(6):
        writer = writers[episode % 2]
        write_episode(writer, episode, 3)
        if episode < 2:
            readers.append(reader_of(writer))
        watermarks.append(live.refresh(readers))
        live.advance(watermarks[-1])
    later = ReplayStore(capacity=1000)
    newest = later.refresh(readers)
    for watermark in watermarks:
        assert later.holds(watermark)
        later.advance(watermark)
    assert newest == watermarks[-1]
    np.testing.assert_array_equal(later.online, live.online)


def test_capacity_is_a_window_over_the_newest_online_starts(writers):
    write_episode(writers[0], 0, 4, phase=Phase.DEMO)
    write_episode(writers[0], 1, 5)
    store = ReplayStore(capacity=3)
    store.advance(store.refresh([reader_of(writers[0])]))
    assert seen(store, store.online) == [(0, 7), (0, 8), (0, 9)]
    assert len(store.demo) == 4
    assert (store.online_starts, store.demo_starts) == (5, 4)


def test_a_watermark_of_records_that_are_not_there_is_noticed(writers):
    write_episode(writers[0], 0, 4)
    store = ReplayStore(capacity=3)
    store.refresh([reader_of(writers[0])])
    assert not store.holds({session_id(0): 6})
    assert not store.holds({session_id(7): 1})


def test_a_session_is_taken_once(writers):
    write_episode(writers[0], 0, 4)
    store = ReplayStore(capacity=10)
    store.advance(store.refresh([reader_of(writers[0]), reader_of(writers[0])]))
    assert len(store.online) == 4


def test_episodes_are_told_apart_across_logs(writers):
    for writer in writers:
        write_episode(writer, 0, 2)
        write_episode(writer, 1, 1)
    store = ReplayStore(capacity=10)
    store.advance(store.refresh(map(reader_of, writers)))
    numbers = store.episodes(store.online)
    assert numbers.tolist() == [0, 0, 1, 2, 2, 3]


def rewards(store, ids, gamma=0.9):
    """(reward, discount) of each id."""
    ((log, _, rows),) = store.by_log(ids)
    _, reward, discount = log.n_step(rows, 1, gamma)
    return reward.tolist(), [round(float(value), 6) for value in discount]


def label(number, first, end, **values):
    given = {"rewards": None, "terminated": None, "success": None, "author": "me", "date": ""} | values
    return Label(session_id(number), first, end, **given)


def test_labels_change_what_is_sampled_from_the_version_on_that_is_shown(writers):
    writer = writers[0]
    write_episode(writer, 0, 3)
    store, readers = ReplayStore(1000), [reader_of(writer)]
    first = store.refresh(readers)
    store.advance(first)
    append_label(writer.folder, label(0, 2, 3, rewards=(0.0,), terminated=(False,)))
    append_label(writer.folder, label(0, 1, 3, rewards=(0.25, 0.5)))
    second = store.refresh(readers)
    assert second == first | {f"{session_id(0)}/labels": 2}
    assert rewards(store, store.online) == ([0.0, 0.0, 1.0], [0.9, 0.9, 0.0])
    store.advance({f"{session_id(0)}/labels": 1})
    assert rewards(store, store.online) == ([0.0, 0.0, 0.0], [0.9, 0.9, 0.9])
    store.advance(second)
    assert rewards(store, store.online) == ([0.0, 0.25, 0.5], [0.9, 0.9, 0.9])
    assert not store.holds({f"{session_id(0)}/labels": 3})


def test_a_demonstration_that_is_called_a_failure_is_learnt_from_and_not_imitated(writers):
    writer = writers[0]
    write_episode(writer, 0, 3, phase=Phase.DEMO)
    write_episode(writer, 1, 2, phase=Phase.DEMO)
    write_episode(writer, 2, 3, human=(0,))
    store, readers = ReplayStore(1000), [reader_of(writer)]
    store.advance(store.refresh(readers))
    before = store.imitated.tolist()
    assert before == store.demo.tolist()
    for first, end in ((0, 3), (7, 10)):
        append_label(writer.folder, label(0, first, end, success=False))
    store.advance(store.refresh(readers))
    assert store.demo.tolist() == before
    assert seen(store, store.imitated) == [(0, 4), (0, 5), (0, 7)]  # a correction is one in an episode that failed too
    again, fresh = ReplayStore(1000), [reader_of(writer)]
    again.load(fresh, store.save())
    assert again.imitated.tolist() == store.imitated.tolist()
    append_label(writer.folder, label(0, 0, 3, success=True))
    store.advance(store.refresh(readers))
    assert store.imitated.tolist() == before


def test_a_store_that_was_saved_goes_on_as_one_that_was_not(writers):
    """Interventions, two sessions, labels, and a record whose successor comes only after the restart."""
    first, second = writers
    straight, readers = ReplayStore(1000), [reader_of(first), reader_of(second)]
    write_episode(first, 0, 3, human=(1,))
    write_episode(second, 0, 4, "crash")
    append_label(first.folder, label(0, 0, 2, rewards=(0.125, 0.25)))
    straight.advance(straight.refresh(readers))
    saved = straight.save()
    append(second, 0, 4)
    append(second, 0, 5)
    write_episode(first, 1, 2, human=(0,))
    append_label(first.folder, label(0, 4, 6, rewards=(0.5, 0.75), terminated=(False, False)))
    again, fresh = ReplayStore(1000), [reader_of(first), reader_of(second)]
    again.load(fresh, saved)
    assert (again.online.tolist(), again.demo.tolist()) == (saved["online"].tolist(), saved["demo"].tolist())
    for store, open_readers in ((straight, readers), (again, fresh)):
        store.advance(store.refresh(open_readers))
    assert again.online.tolist() == straight.online.tolist()
    assert again.demo.tolist() == straight.demo.tolist()
    assert again.steps() == straight.steps()
    assert (again.online_starts, again.demo_starts) == (straight.online_starts, straight.demo_starts)
    for name, column in straight.save().items():
        np.testing.assert_array_equal(again.save()[name], column, err_msg=name)


@pytest.mark.parametrize("harm", ["nothing", "fewer", "other"])
def test_a_log_that_has_lost_what_was_saved_is_refused(writers, tmp_path, harm):
    write_episode(writers[0], 0, 9)
    store = ReplayStore(1000)
    store.advance(store.refresh([reader_of(writers[0])]))
    cut = writer_in(tmp_path / "cut", 1 if harm == "other" else 0)
    write_episode(cut, 0, 9 if harm == "other" else 5)
    readers = [] if harm == "nothing" else [reader_of(cut)]
    with pytest.raises(SnapshotError, match="restore"):
        ReplayStore(1000).load(readers, store.save())
    cut.close()
