import numpy as np
import pytest
from PIL import Image

from steadyhand.film import HOLD_FRAMES, side_by_side, write_gif, write_views


def shot(length: int, value: int, success: bool):
    return [np.full((20, 30, 3), value, np.uint8) for _ in range(length)], success


def test_both_sides_last_as_long_as_the_longer_one():
    frames = side_by_side([shot(3, 10, False), shot(5, 10, True)], [shot(7, 200, True), shot(2, 200, True)])
    assert len(frames) == 7 + HOLD_FRAMES + 5 + HOLD_FRAMES
    assert frames[0].shape == (20, 60, 3)
    assert (frames[0][:, :30] == 10).all()
    assert (frames[0][:, 30:] == 200).all()


def test_the_strip_tells_how_an_episode_ended():
    frames = side_by_side([shot(3, 10, False)], [shot(3, 10, True)])
    failed, done = frames[-1][-1, 0], frames[-1][-1, -1]
    assert failed[0] > failed[1]
    assert done[1] > done[0]
    assert (frames[0][-1] == 10).all()


def test_the_gif_plays_in_real_time(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (16, 16, 3)).astype(np.uint8) for _ in range(4)]
    write_gif(tmp_path / "media" / "film.gif", frames, 0.1)
    with Image.open(tmp_path / "media" / "film.gif") as image:
        assert image.n_frames == 4
        assert image.info["duration"] == pytest.approx(100)
        assert image.info["loop"] == 0


def test_every_camera_gets_a_picture(tmp_path):
    write_views(tmp_path, {"pose": np.zeros(3, np.float32), "wrist": np.zeros((4, 4, 3), np.uint8)})
    assert [path.name for path in tmp_path.iterdir()] == ["view_wrist.png"]
