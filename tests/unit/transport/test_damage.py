import pytest

from steadyhand.transport import log_folder
from steadyhand.transport.damage import Damage
from steadyhand.transport.record import record_dtype
from steadyhand.transport.wire import MAX_LOST, Wanted
from tests.integrity.plain_log import flip, read_log
from tests.transport_kit import SCHEMA, frames

SIZE = record_dtype(SCHEMA).itemsize


@pytest.fixture
def log(tmp_path):
    return frames(tmp_path, 25), tmp_path


def test_only_damaged_records_are_overwritten(log):
    sent, folder = log
    for seq in (8, 9, 10, 20):
        flip(folder, seq)
    damage = Damage(folder, SIZE)
    assert damage.add([20, 8, 9, 10]) == [8, 9, 10, 20]
    assert damage.add([8]) == []
    assert damage.wanted() == Wanted(8, 3)
    other = bytearray(sent)
    other[3 * SIZE + 50] ^= 1  # of a record that is whole here
    assert damage.mend(memoryview(bytes(other))[: 12 * SIZE]) == [8, 9, 10]
    assert (damage.first, len(damage), damage.wanted()) == (20, 1, Wanted(20, 1))
    assert damage.mend(memoryview(sent)[20 * SIZE :]) == [20]
    assert (damage.first, damage.wanted()) == (None, None)
    assert b"".join(one.raw for one in read_log(folder)) == sent


def test_a_message_asks_for_a_bounded_number(tmp_path):
    damage = Damage(tmp_path, SIZE)
    damage.add(range(5, 5 + 3 * MAX_LOST))
    assert damage.wanted() == Wanted(5, MAX_LOST)


def test_a_record_without_a_place_stays_wanted(log):
    sent, folder = log
    log_folder.paths(folder)[2][1].unlink()
    damage = Damage(folder, SIZE)
    damage.add([21])
    assert damage.mend(memoryview(sent)[21 * SIZE : 22 * SIZE]) == []
    assert damage.first == 21
