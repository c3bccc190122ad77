from dataclasses import replace

import numpy as np
import pytest

from steadyhand.contracts.camera import CameraContract
from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.capture import RecordingEndedError
from steadyhand.robot_envs.cameras.video_file import VideoFile, VideoFileSource
from steadyhand.runtime.clock import FakeClock
from tests.camera_kit import blocks, video_view, write_video
from tests.transport_kit import wait_until

NUMBERS = range(6)
APART = 12  # JPEG changes a pixel by less in the mean; two pictures differ by more


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "wrist.avi"
    write_video(path, [blocks(number) for number in NUMBERS], rate_hz=50.0)
    return path


class TestVideoFileContract(CameraContract):
    @pytest.fixture(autouse=True)
    def around(self, film):
        self.film = film

    def make_camera(self):
        return VideoFile(video_view(self.film), "wrist")

    def wait(self, camera):
        counter = camera.latest().counter
        wait_until(lambda: camera.latest().counter > counter)


def number_of(pixels):
    """Return the number of the picture that is shown."""
    apart = [np.abs(pixels.astype(int) - blocks(number)).mean() for number in NUMBERS]
    assert min(apart) < APART
    return int(np.argmin(apart))


def test_pictures_come_in_order_at_the_rate_of_the_file(film):
    clock = FakeClock()
    source = VideoFileSource(video_view(film, loop=False).device, clock)
    shown, times_s = [], []

    def play():
        while True:
            if pictures := source.read(0.005):
                shown.append(number_of(pictures["colour"]))
                times_s.append(clock.now_ns() / 1e9)

    with pytest.raises(RecordingEndedError, match=r"the video has ended; set device\.loop=true"):
        play()
    source.close()
    assert shown == list(NUMBERS)
    assert np.diff(times_s) == pytest.approx(np.full(len(NUMBERS) - 1, 0.02))


def test_after_a_stall_the_video_does_not_hurry(film):
    clock = FakeClock()
    source = VideoFileSource(video_view(film).device, clock)
    assert source.read(0.1)
    clock.advance_ns(1_000_000_000)
    late_ns, times_s = clock.now_ns(), []
    for _ in range(4):
        assert source.read(0.1)
        times_s.append((clock.now_ns() - late_ns) / 1e9)
    assert times_s == pytest.approx([0.0, 0.0, 0.02, 0.04])
    source.close()


def test_a_loop_begins_again(film):
    source = VideoFileSource(video_view(film).device, FakeClock())
    shown = [number_of(source.read(1.0)["colour"]) for _ in range(2 * len(NUMBERS))]
    assert shown == [*NUMBERS, *NUMBERS]
    source.close()


def test_a_film_that_has_ended_keeps_its_last_frame(film):
    camera = VideoFile(video_view(film, loop=False), "wrist")
    camera.connect()
    wait_until(lambda: "has ended" in camera.health.last_error)
    assert number_of(camera.latest().pixels) == NUMBERS[-1]
    camera.close()


@pytest.mark.parametrize("content", [None, b"", b"no video"])
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "wrist.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CameraError, match=r"camera 'wrist': .*device\.path: expected a video file") as raised:
        VideoFile(video_view(path), "wrist").connect()
    assert "\n" not in str(raised.value)


def test_a_path_is_required(film):
    with pytest.raises(ValueError, match="path: expected a video file"):
        replace(video_view(film).device, path="")
