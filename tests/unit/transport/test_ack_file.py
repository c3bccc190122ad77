import pytest

from steadyhand.transport.ack_file import note_acknowledged, read_acknowledged, unacknowledged
from steadyhand.transport.segment import LogError
from tests.transport_kit import write_episode, writer_in


def test_what_is_noted_is_read(tmp_path):
    assert read_acknowledged(tmp_path) == 0
    note_acknowledged(tmp_path, 7)
    note_acknowledged(tmp_path, 12)
    assert read_acknowledged(tmp_path) == 12


@pytest.mark.parametrize("text", ["", "{", '{"durable_seq": "x"}', "[]", "{}"])
def test_a_damaged_note_offers_everything_again_and_says_so(tmp_path, caplog, text):
    (tmp_path / "acknowledged.json").write_text(text)
    assert read_acknowledged(tmp_path) == 0
    assert "offered again" in caplog.text


def test_what_is_left_is_counted(tmp_path):
    with pytest.raises(LogError):
        unacknowledged(tmp_path)
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 0, 30)
    size = writer.dtype.itemsize
    assert unacknowledged(tmp_path) == (31, 31 * size)
    note_acknowledged(tmp_path, 25)
    assert unacknowledged(tmp_path) == (6, 6 * size)
    note_acknowledged(tmp_path, 31)
    assert unacknowledged(tmp_path) == (0, 0)
    writer.close()
