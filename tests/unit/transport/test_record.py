import numpy as np
import pytest

from steadyhand.transport.record import Kind, checksum, is_sound, record_dtype, seal, sound_prefix, valid_starts
from tests.transport_kit import SCHEMA, record


def sealed(rows: np.ndarray) -> np.ndarray:
    for index in range(len(rows)):
        seal(rows[index : index + 1].view(np.uint8).data)
    return rows


def log_of(*episodes: int, first_seq: int = 0) -> np.ndarray:
    """Return the records of whole episodes with these numbers of steps, each closed by a final record."""
    rows = [
        record(0, episode, step, kind=Kind.FINAL if step == steps else Kind.STEP)
        for episode, steps in enumerate(episodes)
        for step in range(steps + 1)
    ]
    stacked = np.stack(rows)
    stacked["seq"] = np.arange(first_seq, first_seq + len(rows))
    return stacked


def test_the_layout_is_packed_little_endian_with_seq_first_and_crc_last():
    dtype = record_dtype(SCHEMA)
    assert dtype.names[0] == "seq"
    assert dtype.names[-1] == "crc"
    assert dtype.fields["seq"][1] == 0
    assert dtype.itemsize == 8 + 8 + 4 + 7 + 8 + 8 + 4 + 2 * 4 + 3 * 2 * 4 + 3 * 4 + 3 * 4 + 4 * 6 * 3 + 4
    assert dtype["observation/wrist"].shape == (4, 6, 3)
    assert record_dtype(SCHEMA) is dtype


def test_a_seal_finds_every_changed_byte():
    row = sealed(log_of(1))[0]
    raw = bytearray(row.tobytes())
    assert is_sound(memoryview(raw))
    for position in range(len(raw)):
        raw[position] ^= 1
        assert not is_sound(memoryview(raw))
        raw[position] ^= 1


def test_a_checksum_of_parts_is_that_of_the_whole():
    assert checksum(b"ab", memoryview(b"cd")) == checksum(b"abcd") != checksum(b"abdc")


def test_an_empty_place_is_not_sound():
    assert not is_sound(memoryview(bytes(record_dtype(SCHEMA).itemsize)))


def test_sound_prefix_stops_at_damage_and_at_a_gap_in_the_numbers():
    rows = sealed(log_of(4, first_seq=20))
    size = rows.dtype.itemsize
    assert sound_prefix(rows.view(np.uint8).data, size, 20) == 5
    assert sound_prefix(rows.view(np.uint8).data, size, 19) == 0
    rows["reward"][3] = 5.0
    assert sound_prefix(rows.view(np.uint8).data, size, 20) == 3


def test_every_step_of_whole_episodes_starts_and_no_final_record_does():
    rows = log_of(3, 1)
    assert valid_starts(rows).tolist() == [True, True, True, False, True, False]


@pytest.mark.parametrize(
    ("field", "row", "value", "lost"),
    [
        ("valid", 1, False, {0, 1}),  # neither from it nor into it
        ("seq", 2, 50, {1, 2}),  # a deleted segment
        ("episode_id", 2, 9, {1, 2}),
        ("step_index", 2, 7, {1, 2}),
        ("kind", 1, Kind.FINAL, {1}),
    ],
)
def test_a_start_needs_its_successor(field, row, value, lost):
    rows = log_of(4)
    rows[field][row] = value
    assert {index for index in range(4) if not valid_starts(rows)[index]} == lost


def test_a_last_record_without_successor_is_no_start():
    assert not valid_starts(log_of(3)[:3])[-1]
    assert valid_starts(log_of(3)[:0]).shape == (0,)


def test_columns_serve_as_well_as_records():
    rows = log_of(3, 2)
    columns = {name: rows[name] for name in ("seq", "episode_id", "step_index", "kind", "valid")}
    assert valid_starts(columns).tolist() == valid_starts(rows).tolist()
