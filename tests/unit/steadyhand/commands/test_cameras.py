import numpy as np
import pytest
from PIL import Image

from steadyhand.cli import main
from steadyhand.commands import cameras
from steadyhand.robot_envs.cameras.plugged import Plugged
from tests.camera_kit import blocks, write_video


@pytest.fixture
def plugged(monkeypatch):
    found = []
    monkeypatch.setattr(cameras, "plugged_cameras", lambda: (found, ""))
    return found


@pytest.fixture
def film(tmp_path):
    write_video(tmp_path / "film.avi", [blocks(number) for number in range(4)], rate_hz=50.0)
    words = ["camera=video_file", f"camera.views.wrist.device.path={tmp_path / 'film.avi'}"]
    return [*words, "camera.views.wrist.height=24", "camera.views.wrist.width=24"]


def test_nothing_plugged_in_is_one_line(plugged, capsys):
    assert main(["cameras"]) == 1
    assert capsys.readouterr().out == "no camera is plugged in\n"


def test_what_is_plugged_in_is_listed(plugged, capsys):
    plugged.append(Plugged("realsense", "1001", "RealSense D405, USB 3.2", ("colour 640x480 at 30, 15",)))
    assert main(["cameras"]) == 0
    assert capsys.readouterr().out == "realsense 1001: RealSense D405, USB 3.2\n    colour 640x480 at 30, 15\n"


@pytest.mark.slow
@pytest.mark.realtime
def test_a_configured_view_is_tried_and_its_picture_written(plugged, film, capsys, tmp_path):
    assert main(["cameras", *film, "--output", str(tmp_path / "pictures")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "no camera is plugged in"
    assert lines[1].startswith("wrist: 24x24, ")
    assert 30.0 < float(lines[1].split()[2]) <= 55.0
    picture = np.asarray(Image.open(tmp_path / "pictures" / "wrist.png"))
    assert picture.shape == (24, 24, 3)
    assert picture.std() > 10.0


def test_a_view_that_fails_is_one_line_and_leaves_no_picture(plugged, film, capsys, tmp_path):
    (tmp_path / "film.avi").unlink()
    assert main(["cameras", *film, "--output", str(tmp_path / "pictures")]) == 1
    assert "wrist: camera 'wrist': " in capsys.readouterr().out
    assert not (tmp_path / "pictures").exists()


def test_rendered_views_and_those_of_ros_drivers_are_not_tried(plugged, capsys):
    assert main(["cameras", "camera=wrist_side"]) == 1
    assert "side: rendered by the simulated robot" in capsys.readouterr().out
    assert main(["cameras", "camera=wrist_side", "robot=crisp_fr3"]) == 1
    assert "see `ros2 topic hz wrist/image_raw`" in capsys.readouterr().out


def test_an_output_that_cannot_be_written_is_refused_first(plugged, film, capsys, tmp_path):
    assert main(["cameras", *film, "--output", str(tmp_path / "film.avi")]) == 2
    assert "--output" in capsys.readouterr().err
    assert main(["cameras", *film, "--output", str(tmp_path / "no" / "folder")]) == 2


def test_serials_have_to_be_given(plugged, capsys):
    assert main(["cameras", "camera=realsense_wrist_side"]) == 2
    line = capsys.readouterr().err
    assert "camera.views.wrist.device.serial: needs a value and has none" in line
    assert line.count("\n") == 1
