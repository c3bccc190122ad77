import pytest
import torch

from steadyhand.policies.noise import Noise


def draw_all(noise):
    return [noise.normal((3, 2)), noise.uniform([4]), noise.integers(7, (5,)), noise.order(6), noise.normal((2,))]


def test_noted_draws_give_the_same_numbers_when_they_are_made_ahead():
    noted, ahead = Noise(3), Noise(3)
    with noted.noted() as draws:
        expected = draw_all(noted)
    numbers = ahead.draw(draws)
    state = ahead.generator.get_state()
    with ahead.given(numbers):
        found = draw_all(ahead)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert torch.equal(ahead.generator.get_state(), state), "given numbers are not drawn again"
    assert torch.equal(ahead.normal((2,)), noted.normal((2,))), "and the next ones go on"


def test_numbers_are_drawn_from_their_distributions():
    noise = Noise(0)
    assert noise.normal((10_000,)).std() == pytest.approx(1.0, abs=0.03)
    uniform = noise.uniform((10_000,))
    assert uniform.min() >= 0.0
    assert uniform.max() < 1.0
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    assert set(noise.integers(3, (1_000,)).tolist()) == {0, 1, 2}
    assert sorted(noise.order(9).tolist()) == list(range(9))


def test_draws_outside_are_not_noted():
    noise = Noise(0)
    with noise.noted() as draws:
        noise.normal((2,))
    noise.normal((3,))
    assert [draw.shape for draw in draws] == [(2,)]
