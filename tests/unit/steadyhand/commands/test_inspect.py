from steadyhand.cli import main
from steadyhand.transport.record import Phase
from tests.unit.steadyhand.synthetic_run import write_demos, write_log


def test_shows_a_demo_set(tmp_path, capsys):
    write_demos(tmp_path / "demos", [4, 6, 5])
    assert main(["inspect", str(tmp_path / "demos")]) == 0
    words = capsys.readouterr().out
    for text in (
        "demo set",
        "3 (3 demo)",
        "15 (0.0 min at 10 Hz)",
        "5, of which 3 were kept",
        "by scripted",
        "pose",
        "float32",
    ):
        assert text in words


def test_finds_the_logs_below_a_run_folder(tmp_path, capsys):
    write_demos(tmp_path / "run" / "demos" / "scripted", [4])
    write_log(tmp_path / "run" / "log" / ("ab" * 16), [5, 5], Phase.TRAIN, human_steps=1)
    assert main(["inspect", str(tmp_path / "run")]) == 0
    words = capsys.readouterr().out
    assert "demo set" in words
    assert "20.0 % of the steps" in words


def test_a_folder_without_a_log_is_refused(tmp_path, capsys):
    assert main(["inspect", str(tmp_path)]) == 2
    assert "no log in or below it" in capsys.readouterr().err


def test_another_packages_data_are_named(tmp_path, capsys):
    (tmp_path / "demo.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n demo_0 env_args")
    for path in (tmp_path, tmp_path / "demo.hdf5"):
        assert main(["inspect", str(path)]) == 2
        line = capsys.readouterr().err
        assert "a robomimic HDF5 file" in line
        assert line.count("\n") == 1


def test_a_log_cannot_write_on_the_terminal(tmp_path, capsys):
    folder = tmp_path / "evil\x1b[2J\nforged"
    write_demos(folder, [4], expert="\x1b]0;owned\x07")
    assert main(["inspect", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b]0;owned\\x07" in out
    assert all(not line.startswith("forged") for line in out.splitlines())
