import numpy as np
import pytest
from PIL import Image

from steadyhand.cli import main
from steadyhand.runtime.calibration_file import read_calibration
from tests.board_kit import facing, renderer

pytest.importorskip("cv2")


def reference(folder, pictures):
    return main(["calibrate", "reference", "--camera", "side", "--output", str(folder), "--pictures", str(pictures)])


def test_what_moves_between_the_pictures_is_left_out(tmp_path):
    for count in (1, 2):
        folder = tmp_path / str(count)
        folder.mkdir()
        picture = renderer().render(facing())
        Image.fromarray(picture).save(folder / "a.png")
        if count == 2:
            moved = picture.copy()
            moved[:, :130] = 60
            Image.fromarray(moved).save(folder / "b.png")
        assert reference(tmp_path / f"out{count}", folder) == 0
    places = [
        np.array(read_calibration(next((tmp_path / f"out{count}").glob("*.yaml"))).values["places_px"])
        for count in (1, 2)
    ]
    assert (places[0][:, 0] < 120).sum() > 20
    assert (places[1][:, 0] < 120).sum() == 0
    assert len(places[1]) > 60


def test_an_empty_scene_is_refused_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    Image.new("RGB", (320, 240)).save(tmp_path / "empty" / "a.png")
    assert reference(tmp_path / "out", tmp_path / "empty") == 2
    error = capsys.readouterr().err
    assert "edge points that stay in place, found 0; show more" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
