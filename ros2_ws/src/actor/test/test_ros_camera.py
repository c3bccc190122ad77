"""Images over real DDS: both kinds of topic, any size, both qualities of service."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from ros_kit import Probe, wait_until
from sensor_msgs.msg import CompressedImage, Image

from actor_ros import conversions, qos, ros_camera
from actor_ros.conversions import MessageError
from actor_ros.latest_readings import LatestReadings
from actor_ros.ros_camera import RosCamera, RosCameraConfig, decode
from steadyhand.robot_envs.camera import WHOLE, CameraError, Crop
from steadyhand.runtime.clock import MonotonicClock

STAMP = conversions.stamp_from_ns(0)


def picture(height: int = 96, width: int = 128, red: int = 200) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (red, 40, 10)
    return pixels


def compressed(pixels: np.ndarray, kind: str) -> CompressedImage:
    _, data = cv2.imencode(f".{kind}", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return CompressedImage(format=kind, data=data.tobytes())


class Driver:
    """A camera's driver, and the actor's camera."""

    def __init__(self, name: str, is_compressed: bool, crop: Crop = WHOLE) -> None:
        self.probe = Probe(f"{name}_driver")
        self.is_compressed = is_compressed
        self.sources = LatestReadings(MonotonicClock())
        config = RosCameraConfig(name, 48, 64, crop, is_compressed)
        self.camera = RosCamera(self.probe.node, config, self.sources, 0.5)
        message_type = CompressedImage if is_compressed else Image
        self.publisher = self.probe.publisher(self.camera.topic, message_type, "image")

    def show(self, pixels: np.ndarray) -> None:
        if self.is_compressed:
            self.publisher.publish(compressed(pixels, "png"))
        else:
            self.publisher.publish(conversions.image_from_array(pixels, "wrist", STAMP))

    def close(self) -> None:
        self.camera.destroy()
        self.probe.close()


@pytest.fixture(params=[False, True], ids=["raw", "compressed"], scope="module")
def driver(dds, request):
    driver = Driver("wrist" if request.param else "side", request.param)
    yield driver
    driver.close()


def test_it_fulfils_the_contract_of_a_camera(driver):
    camera = driver.camera
    with pytest.raises(RuntimeError, match="connect"):
        camera.latest()
    driver.show(picture())
    camera.connect()
    first = camera.latest()
    assert first.pixels.shape == (camera.height, camera.width, 3) == (48, 64, 3)
    assert first.pixels.dtype == np.uint8
    assert first.pixels[24, 10] == pytest.approx([200, 40, 10], abs=2)  # red stays red
    assert camera.latest().counter == first.counter
    driver.show(picture(red=100))
    wait_until(lambda: camera.latest().counter > first.counter, "the next picture")
    assert camera.latest().stamp_ns > first.stamp_ns
    assert camera.latest().pixels[24, 10, 0] == pytest.approx(100, abs=2)


def test_a_broken_picture_is_none_and_the_next_one_is_taken(driver):
    driver.show(picture())
    driver.camera.connect()
    before = driver.camera.latest().counter
    broken = CompressedImage(format="jpeg", data=b"no") if driver.is_compressed else Image(encoding="bayer_rggb8")
    driver.publisher.publish(broken)
    driver.show(picture(red=90))
    wait_until(lambda: driver.camera.latest().pixels[24, 10, 0] == pytest.approx(90, abs=2), "the next picture")
    assert driver.camera.latest().counter == before + 1


def test_a_camera_that_falls_silent_is_named(driver):
    driver.show(picture())
    driver.camera.connect()
    wait_until(lambda: driver.sources.silent() == (driver.camera.topic,), "silence", 5.0)


@pytest.mark.parametrize(
    ("is_compressed", "message", "line"),
    [
        (False, Image(height=2, width=2, step=8, encoding="32FC1", data=bytes(16)), "found encoding '32FC1'"),
        (False, Image(height=2, width=2, step=9, encoding="rgb8", data=bytes(16)), "expected 2 rows of 9 bytes"),
        (True, CompressedImage(format="h264", data=bytes(16)), "expected JPEG or PNG, found 'h264' of 16 bytes"),
    ],
    ids=["encoding", "size", "format"],
)
def test_pictures_that_cannot_be_decoded_are_said_as_that_and_not_as_silence(
    dds, monkeypatch, is_compressed, message, line
):
    monkeypatch.setattr(ros_camera, "_CONNECT_S", 1.5)
    driver = Driver("odd", is_compressed)
    try:
        with pytest.raises(RuntimeError, match=r"camera 'odd': nothing on odd/image_raw.*; start its driver"):
            driver.camera.connect()
        driver.publisher.publish(message)
        wait_until(lambda: driver.sources.refused(driver.camera.topic), "the message")
        with pytest.raises(RuntimeError, match=line) as caught:
            driver.camera.connect()
        assert "nothing on" not in str(caught.value)
        assert f"camera 'odd': {driver.camera.topic}: " in str(caught.value)
        assert line in driver.sources.objection()
        driver.show(picture())
        driver.camera.connect()
        assert driver.sources.objection() == ""
    finally:
        driver.close()


def test_a_camera_that_sends_yuv_shows_its_colours(dds):
    driver = Driver("usb", False)
    try:
        yuyv = cv2.cvtColor(picture(), cv2.COLOR_RGB2YUV_YUY2)
        message = Image(height=96, width=128, step=256, encoding="yuv422_yuy2", data=yuyv.tobytes())
        driver.publisher.publish(message)
        driver.camera.connect()
        assert driver.camera.latest().pixels[24, 10].tolist() == pytest.approx([200, 40, 10], abs=4)
    finally:
        driver.close()


def test_a_crop_shows_its_part_of_the_picture(dds):
    driver = Driver("cropped", False, Crop(left=0.5, width=0.5))
    try:
        driver.show(picture())
        driver.camera.connect()
        pixels = driver.camera.latest().pixels
        assert pixels.shape == (48, 64, 3)
        assert not pixels.any()  # the picture's right half is black
    finally:
        driver.close()


def test_the_whole_picture_is_without_the_crop(dds):
    driver = Driver("whole", False, Crop(left=0.5, width=0.5))
    try:
        with pytest.raises(CameraError, match="camera 'whole': expected an image within 0 s, found none"):
            driver.camera.whole_picture(96, 128, 0.05)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(driver.camera.whole_picture, 96, 128, 30.0)

            def answered() -> bool:
                driver.show(picture())
                return asked.done()

            wait_until(answered, "the whole picture")
        assert np.array_equal(asked.result(), picture())
    finally:
        driver.close()


@pytest.mark.parametrize("quality", ["sensor", "state"])
def test_any_quality_of_service_gets_the_pictures(driver, quality):
    heard = []
    message_type = CompressedImage if driver.is_compressed else Image
    driver.probe.node.create_subscription(message_type, driver.camera.topic, heard.append, qos.profile(quality))

    def shown() -> bool:
        driver.show(picture())
        return bool(heard)

    wait_until(shown, f"a picture as {quality}")


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_decodes(kind):
    assert decode(compressed(picture(), kind)).shape == (96, 128, 3)


def test_what_is_no_picture_is_one_line():
    with pytest.raises(MessageError, match="expected JPEG or PNG"):
        decode(CompressedImage(format="jpeg", data=b"\0" * 40))


def test_a_header_that_promises_too_many_pixels_is_one_line_too():
    data = bytearray(compressed(picture(), "jpg").data)
    at = data.index(b"\xff\xc0") + 5  # height and width of the baseline frame
    data[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(MessageError, match="expected JPEG or PNG"):
        decode(CompressedImage(format="jpeg", data=bytes(data)))
