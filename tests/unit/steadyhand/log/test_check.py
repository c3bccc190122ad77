import pytest

from steadyhand.cli import main
from tests.integrity.plain_log import flip
from tests.transport_kit import log_of, record, session_id, writer_in


def test_a_sound_log_exits_with_0(tmp_path, capsys):
    log_of(tmp_path / "run" / "log" / session_id(0))
    assert main(["log", "check", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "damaged" in out.splitlines()[0]
    assert "30" in out


def test_every_kind_of_loss_is_listed_with_episode_step_and_bytes(tmp_path, capsys):
    folder = log_of(tmp_path / "log")
    flip(folder, 3)
    flip(folder, 4)
    (folder / "00000000000000000010.segment").unlink()
    assert main(["log", "check", str(folder)]) == 1
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    size = (folder / "00000000000000000000.segment").stat().st_size
    record_bytes = (size - 8192) // 10
    place = f"bytes {8192 + 3 * record_bytes} to {8192 + 5 * record_bytes - 1}"
    assert f"damaged  seq 3 to 4: from episode 0, step 3; 00000000000000000000.segment, {place}" in lines
    assert any(line.startswith("missing  seq 10 to 19: from episode 1, step 0; ") for line in lines)


def test_headers_and_marks_are_checked_too(tmp_path, capsys):
    folder = log_of(tmp_path / "log")
    for name, place in (("00", 20), ("10", 4096 + 20), ("20", 50)):
        path = folder / f"000000000000000000{name}.segment"
        raw = bytearray(path.read_bytes())
        raw[place] ^= 1
        path.write_bytes(raw)
    assert main(["log", "check", str(folder)]) == 1
    out = capsys.readouterr().out
    for text in (
        "00.segment: the header is damaged",
        "10.segment: the copy of the header",
        "20.segment: the number of",
    ):
        assert text in out


def test_impossible_numbers_are_listed(tmp_path, capsys):
    writer = writer_in(tmp_path)
    for step in range(4):
        writer.append(record(step=step, reward=float("nan") if step == 2 else 0.0))
    writer.close()
    assert main(["log", "check", str(tmp_path)]) == 1
    assert "unfit    seq 2: from episode 0, step 2" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["nothing", "no log"])
def test_a_folder_without_a_log_is_one_line(tmp_path, capsys, what):
    where = tmp_path / "none" if what == "nothing" else tmp_path
    assert main(["log", "check", str(where)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_no_segment_is_reported_and_the_others_are_read(tmp_path, capsys):
    log_of(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "00000000000000000000.segment").write_bytes(b"junk")
    assert main(["log", "check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "expected a log segment" in out
    assert str(tmp_path / "a") in out
