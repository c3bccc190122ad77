from contextlib import closing

import numpy as np

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.quarantine import MAX_UNFIT, Quarantine
from steadyhand.transport.record import Kind, record_dtype, sound_prefix
from steadyhand.transport.wire import Lost, Wanted
from tests.integrity.plain_log import flip
from tests.transport_kit import SCHEMA, record, session_id, write_episode, writer_in

DTYPE = record_dtype(SCHEMA)


def quarantine_in(folder, clock=None) -> Quarantine:
    found = Quarantine(folder, clock or FakeClock())
    found.watch(session_id(0), SCHEMA)
    return found


def frame_of(*rows: np.ndarray) -> memoryview:
    return memoryview(np.stack(rows).tobytes())


def test_unfit_records_are_replaced_and_the_others_kept(tmp_path):
    found = quarantine_in(tmp_path)
    frame = frame_of(record(step=0, seq=5), record(episode=3, step=1, seq=6, reward=np.nan), record(step=2, seq=7))
    screened, faults = found.screen(session_id(0), frame)
    assert faults == {6: "episode 3, step 1: reward is not finite"}
    rows = np.frombuffer(screened, DTYPE)
    assert rows["seq"].tolist() == [5, 6, 7]
    assert rows["kind"].tolist() == [Kind.STEP, Kind.LOST, Kind.STEP]
    assert (rows["episode_id"][1], rows["step_index"][1], rows["valid"][1]) == (3, 1, False)
    assert found.screen(session_id(0), frame_of(record(step=0)))[1] == {}


def test_what_is_counted_and_wanted(tmp_path):
    found = quarantine_in(tmp_path)
    assert (found.count(session_id(0)), found.count("unknown"), found.wanted("unknown")) == (0, 0, None)
    found.report(session_id(0), [4, 5])
    found.report("unknown", [1])
    assert found.wanted(session_id(0)) == Wanted(4, 2)
    assert found.first_damaged(session_id(0)) == 4
    found.note_lost(session_id(0), Lost(9, 2, 0, 3), 2)
    assert found.count(session_id(0)) == found.total() == 4


def test_a_damaged_record_is_placed_by_the_learner_s_own_log(tmp_path):
    folder = tmp_path / session_id(0)
    with closing(writer_in(folder)) as writer:
        for episode in range(2):
            write_episode(writer, 0, episode, 9)
    flip(folder, 14)
    found, unknown = quarantine_in(tmp_path), Lost(14, 1, 0, 0)
    assert found.placed(session_id(0), unknown) == Lost(14, 1, 1, 4)
    assert found.placed(session_id(0), Lost(3, 1, 7, 7)) == Lost(3, 1, 7, 7)  # it is whole
    assert found.placed(session_id(0), Lost(30, 1, 7, 7)) == Lost(30, 1, 7, 7)  # it is not there


def test_a_ban_is_of_one_actor_and_ends(tmp_path):
    clock = FakeClock()
    found = quarantine_in(tmp_path, clock)
    faults = dict.fromkeys(range(MAX_UNFIT - 1), "x")
    assert not found.note_unfit(session_id(0), "arm", faults)
    assert found.objections("arm") == []
    assert found.note_unfit(session_id(0), "arm", {99: "x"})
    assert "banned" in found.objections("arm")[0]
    assert found.objections("leg") == []
    clock.advance_ns(60_000_000_000)
    assert found.objections("arm") == []


def test_a_lost_record_has_a_number_a_place_and_a_checksum(tmp_path):
    frame = quarantine_in(tmp_path).lost_frame(session_id(0), Lost(7, 3, 2, 5))
    rows = np.frombuffer(frame, DTYPE)
    assert sound_prefix(memoryview(frame), DTYPE.itemsize, 7) == 3
    assert rows["step_index"].tolist() == [5, 6, 7]
    assert rows["episode_id"].tolist() == [2, 2, 2]
