import numpy as np
import pytest

from steadyhand.data.statistics import column_statistics, joined_statistics


def test_pictures_have_one_value_a_channel():
    frames = np.random.default_rng(0).integers(0, 256, (20, 32, 48, 3), np.uint8)
    frames[..., 2] = 51
    found = column_statistics(frames)
    pixels = frames.reshape(-1, 3) / 255.0
    for name, value in (
        ("min", pixels.min(0)),
        ("max", pixels.max(0)),
        ("mean", pixels.mean(0)),
        ("std", pixels.std(0)),
    ):
        assert found[name].shape == (3, 1, 1)
        np.testing.assert_allclose(found[name].reshape(-1), value, atol=1e-9)
    np.testing.assert_allclose(found["q10"].reshape(-1), np.quantile(pixels, 0.1, axis=0), atol=1 / 255)
    assert found["count"].tolist() == [20]


def test_a_long_episode_is_thinned():
    assert column_statistics(np.zeros((250, 2, 2, 3), np.uint8))["count"].tolist() == [84]


@pytest.mark.parametrize("shape", [(), (4,)])
def test_those_of_a_set_are_those_of_all_its_rows(shape):
    rng = np.random.default_rng(0)
    parts = [rng.normal(loc=number, size=(5 + 10 * number, *shape)) for number in range(3)]
    joined, whole = (
        joined_statistics([column_statistics(part) for part in parts]),
        column_statistics(np.concatenate(parts)),
    )
    for name in ("min", "max", "mean", "std", "count"):
        np.testing.assert_allclose(joined[name], whole[name])


def test_flags_are_numbers():
    found = column_statistics(np.array([True, False, False, False]))
    assert (found["mean"].tolist(), found["max"].tolist()) == ([0.25], [1.0])
