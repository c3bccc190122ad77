import pytest

from steadyhand.cli import main

pytest.importorskip("cv2")


def test_the_step_writes_a_pdf(tmp_path, capsys):
    assert main(["calibrate", "board", "--output", str(tmp_path / "b.pdf"), "calibration.board.square_m=0.03"]) == 0
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF-1.4")
    assert "9 x 6 squares of 30 mm; print it at 100 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("calibration.board.marker_m=0.03", "marker_m: expected less than square_m=0.025"),
        ("calibration.board.squares_x=2", "squares_x: expected a number within [3, 40], found 2"),
        ("calibration.board.dictionary=none", "expected one of OpenCV's"),
        ("calibration.board.size=3", "calibration"),
    ],
)
def test_an_impossible_board_is_refused_and_nothing_written(override, expected, tmp_path, capsys):
    assert main(["calibrate", "board", "--output", str(tmp_path / "b.pdf"), override]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_refused(tmp_path, capsys):
    assert main(["calibrate", "board", "--output", str(tmp_path / "gone" / "b.pdf")]) == 2
    assert "no folder at" in capsys.readouterr().err
