import pytest

from steadyhand.doctor import Level, cameras, examine
from tests.camera_kit import blocks, write_video
from tests.unit.steadyhand.doctor.kit import config


def film(tmp_path):
    write_video(tmp_path / "film.avi", [blocks(number) for number in range(4)], rate_hz=50.0)
    return ["camera=video_file", f"camera.views.wrist.device.path={tmp_path / 'film.avi'}"]


def test_without_views_there_is_nothing_to_say():
    assert list(cameras.check_cameras(config())) == []
    assert list(cameras.check_cameras(config("robot=crisp_fr3", "camera=wrist_side"))) == []


def test_rendered_views_are_ready():
    found = list(cameras.check_cameras(config("camera=wrist_side")))
    assert [(finding.name, finding.level) for finding in found] == [
        ("camera wrist", Level.OK),
        ("camera side", Level.OK),
    ]


@pytest.mark.slow
def test_one_line_for_each_view(tmp_path):
    words = [*film(tmp_path), "+camera.views.side={height:8,width:8,entry_point:'nowhere:Camera'}"]
    found = {finding.name: finding for finding in examine(words, ["cameras"])}
    assert found["camera wrist"].level is Level.OK
    assert "128x128, " in found["camera wrist"].found
    assert found["camera side"].level is Level.BROKEN
    assert "configs/camera/" in found["camera side"].mend


def test_a_camera_that_is_not_there(tmp_path):
    words = film(tmp_path)
    (tmp_path / "film.avi").unlink()
    (finding,) = cameras.check_cameras(config(*words))
    assert finding.level is Level.BROKEN
    assert "expected a video file, found none" in finding.found
    assert "steadyhand cameras" in finding.mend
