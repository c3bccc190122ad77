import numpy as np
import pytest

from learner.replay.store import ReplayStore
from tests.unit.learner.logs import reader_of, session_id, write_episode, writer_in
from transport.record import Phase


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
