import numpy as np
import pytest
from PIL import Image

from steadyhand.calibrate.picture_source import camera_name, next_picture, open_camera, read_folder
from steadyhand.robot_envs.camera import Camera, Frame
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.board_kit import SETTINGS
from tests.picture_camera_kit import view


class Frozen(Camera):
    name = "frozen"

    def connect(self):
        pass

    def latest(self):
        return Frame(np.zeros((4, 4, 3), np.uint8), 0, 7)

    def close(self):
        pass


def test_a_camera_without_a_serial_number_has_its_views_name(tmp_path):
    assert camera_name(compose(view(tmp_path)), "wrist").belongs_to == {}
    assert camera_name(compose([]), "side").device == "side"
    found = camera_name(compose(view(tmp_path, serial="12")), "wrist")
    assert (found.device, found.belongs_to) == ("12", {"camera.views.wrist.device.serial": "12"})


def test_a_frozen_camera_is_refused_after_its_time():
    assert next_picture(Frozen(), None, 0.05)[1] == 7
    with pytest.raises(CalibrationError, match=r"camera 'frozen': expected a new picture within 0\.05 s"):
        next_picture(Frozen(), 7, 0.05)


def test_a_camera_is_asked_for_its_whole_picture(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    with open_camera(compose(view(tmp_path)), "wrist", SETTINGS.pictures) as camera:
        assert (camera.width, camera.height) == (640, 480)
        assert next_picture(camera, None, 1.0)[0].shape == (6, 8, 3)


def test_a_camera_behind_ros_is_refused():
    config = compose(["robot=ur_servo", "camera=wrist_side"])
    with pytest.raises(ConfigError, match="found an image topic of ROS; save pictures of it"):
        open_camera(config, "wrist", SETTINGS.pictures).__enter__()


def test_pictures_come_in_the_order_of_their_names(tmp_path):
    for name in ("b.png", "a.jpg"):
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none")
    assert [name for name, _ in read_folder(tmp_path)] == ["a.jpg", "b.png"]
    with pytest.raises(CalibrationError, match="expected a folder of pictures"):
        read_folder(tmp_path / "gone")
