import numpy as np
import pytest
import torch

from steadyhand.learner.algos import batch as batch_module
from steadyhand.learner.algos.batch import Batch, random_shift
from steadyhand.policies.noise import Noise

CPU = torch.device("cpu")


def test_a_block_becomes_tensors_and_slices_in_order(make_spec, make_block):
    block = make_block(make_spec(pixels=True), rows=12)
    batch = Batch.from_block(block, CPU)
    assert batch.observation["wrist"].dtype == torch.uint8
    slices = list(batch.slices(3))
    assert [part.action.shape[0] for part in slices] == [4, 4, 4]
    np.testing.assert_array_equal(torch.cat([part.action for part in slices]).numpy(), block["action"])
    joined = torch.cat([part.observation["state"] for part in slices])
    np.testing.assert_array_equal(joined.numpy(), block["observation"]["state"])


def test_a_block_that_does_not_divide_is_refused(make_spec, make_block):
    with pytest.raises(ValueError, match="divide into 5"):
        list(Batch.from_block(make_block(make_spec(), rows=12), CPU).slices(5))


def by_hand(frames, shifted, pixels):
    """For each row, the one offset whose window of the padded frames equals the result."""
    padded = np.pad(frames, ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels), (0, 0)), mode="edge")
    _, _, height, width, _ = frames.shape
    offsets = []
    for row in range(len(frames)):
        fits = [
            (y, x)
            for y in range(2 * pixels + 1)
            for x in range(2 * pixels + 1)
            if np.array_equal(padded[row, :, y : y + height, x : x + width], shifted[row])
        ]
        assert len(fits) == 1
        offsets += fits
    return offsets


def shifted_at_once(frames, pixels, noise):
    return batch_module._shifted_at_once(frames, pixels, noise.integers(2 * pixels + 1, (2, len(frames))))


@pytest.mark.parametrize("shift", [random_shift, shifted_at_once])
def test_random_shift_is_one_window_of_the_padded_frames_for_each_row(shift):
    frames = torch.randint(0, 256, (32, 2, 9, 11, 3), dtype=torch.uint8)
    shifted = shift(frames, 2, Noise(0))
    assert shifted.dtype == torch.uint8
    offsets = by_hand(frames.numpy(), shifted.numpy(), 2)
    assert len(set(offsets)) > 10


@pytest.mark.parametrize("pixels", [1, 4, 8])
def test_a_cpu_shifts_as_other_devices_do(pixels):
    frames = torch.randint(0, 256, (200, 2, 9, 11, 3), dtype=torch.uint8)
    one, other = (shift(frames, pixels, Noise(3)) for shift in (random_shift, shifted_at_once))
    assert torch.equal(one, other)


def test_a_shift_leaves_its_input_alone():
    frames = torch.randint(0, 256, (4, 1, 9, 11, 3), dtype=torch.uint8)
    before = frames.clone()
    random_shift(frames, 2, Noise(0))
    assert torch.equal(frames, before)


def test_observation_and_next_observation_shift_independently(make_spec, make_block):
    block = make_block(make_spec(pixels=True))
    block["next_observation"] = block["observation"]
    batch = Batch.from_block(block, CPU).shifted(2, Noise(0))
    assert not torch.equal(batch.observation["wrist"], batch.next_observation["wrist"])
    np.testing.assert_array_equal(batch.observation["state"].numpy(), block["observation"]["state"])


def test_no_shift_leaves_the_batch_alone(make_spec, make_block):
    batch = Batch.from_block(make_block(make_spec(pixels=True)), CPU)
    assert batch.shifted(0, Noise(0)) is batch
