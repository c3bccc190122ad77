from contextlib import closing

import numpy as np
import pytest

from benchmarks.fleet_account import Window, account, behind, fairness
from benchmarks.fleet_notes import ACKNOWLEDGED, JOINED, RECORDED, Notes
from benchmarks.fleet_robots import Part, Source
from benchmarks.recording import make_schema, session_id, write_log
from steadyhand.transport.log import LogWriter
from tests.integrity.plain_log import flip

SECOND = 1_000_000_000
COUNT = 20
PART = Part(0, 10.0, 0.0)
WINDOW = Window(0, 2 * SECOND, {})


@pytest.fixture
def source(tmp_path):
    return Source(write_log(tmp_path / "source", make_schema(1, 8), 51, 1 << 20))


def stamp_of(number: int) -> int:
    return number * SECOND // 10


def note_all(robot, source, acknowledged_ns: int = 5_000_000) -> None:
    """Note COUNT records at 10 Hz, each acknowledged a moment later and durable at the end."""
    robot.mkdir()
    with closing(Notes(robot, RECORDED)) as recorded, closing(Notes(robot, ACKNOWLEDGED)) as acknowledged:
        for number in range(COUNT):
            recorded.add(stamp_of(number), source.crcs[number])
            acknowledged.add(stamp_of(number) + acknowledged_ns, number + 1, COUNT if number == COUNT - 1 else 0)
    with closing(Notes(robot, JOINED)) as joined:
        joined.add(0)


def store(folder, source, numbers) -> None:
    with closing(LogWriter(folder, source.schema, "arm0", session_id(1), 1 << 20)) as writer:
        for number in numbers:
            row = source.records[number].copy()
            row["stamp_ns"] = stamp_of(number)
            writer.append(row)


def told(tmp_path, source, numbers):
    note_all(tmp_path / "robot", source)
    store(tmp_path / "log", source, numbers)
    return account(PART, tmp_path / "robot", tmp_path / "log", WINDOW)


def test_everything_once_and_in_order_has_no_fault(tmp_path, source):
    share = told(tmp_path, source, range(COUNT))
    assert (share.fate.sent, share.fate.stored, share.fate.faults) == (COUNT, COUNT, 0)
    assert share.of_rate == pytest.approx(1.0)
    assert share.behind_s == 0.0
    assert share.acknowledged_ms.tolist() == [5.0] * COUNT
    assert share.durable_ms[0] == 1905.0


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([*range(7), *range(8, COUNT)], {"lost": 1}),
        ([*range(8), 7, *range(8, COUNT)], {"doubled": 1}),
        ([*range(8), 3, *range(8, COUNT)], {"doubled": 1, "out_of_order": 1}),
        ([*range(6), 7, 6, *range(8, COUNT)], {"out_of_order": 1}),
        (range(COUNT + 1), {"unnoted": 1, "sent": COUNT + 1}),
    ],
)
def test_each_fault_has_its_own_count(tmp_path, source, numbers, expected):
    fate = told(tmp_path, source, numbers).fate
    clean = {"sent": COUNT, "lost": 0, "doubled": 0, "out_of_order": 0, "wrong": 0, "unnoted": 0}
    assert {name: getattr(fate, name) for name in clean} == clean | expected


def test_what_is_still_in_the_robot_s_own_log_waits_and_is_not_lost(tmp_path, source):
    note_all(tmp_path / "robot", source)
    store(tmp_path / "log", source, range(15))
    store(tmp_path / "robot" / "outbox" / session_id(1), source, range(18))
    fate = account(PART, tmp_path / "robot", tmp_path / "log", WINDOW).fate
    assert (fate.stored, fate.waiting, fate.lost) == (15, 3, 2)


def test_another_observation_is_wrong_even_if_its_checksum_is_right(tmp_path, source):
    source.records["observation/state"][3] += 1.0
    assert told(tmp_path, source, range(COUNT)).fate.wrong == 1


def test_a_flipped_bit_is_wrong(tmp_path, source):
    note_all(tmp_path / "robot", source)
    store(tmp_path / "log", source, range(COUNT))
    flip(tmp_path / "log", 4)
    assert account(PART, tmp_path / "robot", tmp_path / "log", WINDOW).fate.wrong == 1


def test_a_robot_is_behind_by_the_age_of_its_oldest_record_that_did_not_arrive(tmp_path, source):
    note_all(tmp_path / "robot", source, acknowledged_ns=SECOND)
    store(tmp_path / "log", source, range(COUNT))
    share = account(PART, tmp_path / "robot", tmp_path / "log", WINDOW)
    assert share.behind_s == pytest.approx(2.0 - 1.1)
    assert share.of_rate == pytest.approx(11 / 20)
    assert behind([share], 2.0, 0.5) == []
    assert behind([share], 0.5, 0.5) == ["arm0"]
    assert behind([share], 2.0, 0.6) == ["arm0"]


def test_fairness_leaves_out_the_killed_ones(tmp_path, source):
    note_all(tmp_path / "robot", source)
    store(tmp_path / "log", source, range(COUNT))
    one = account(PART, tmp_path / "robot", tmp_path / "log", WINDOW)
    slow = account(Part(0, 20.0, 0.0), tmp_path / "robot", tmp_path / "log", WINDOW)
    killed = account(Part(0, 40.0, 0.0), tmp_path / "robot", tmp_path / "log", Window(0, 2 * SECOND, {0: SECOND}))
    assert fairness([one, slow, killed]) == pytest.approx(0.5)
    assert killed.killed
    assert np.isclose(killed.of_rate, 0.5)  # it lived for one of the two seconds
