import torch

from steadyhand.policies.encoders.frames import stacked


def test_each_frame_of_the_horizon_has_its_own_channels():
    frames = torch.randint(0, 256, (2, 3, 8, 10, 3), dtype=torch.uint8)
    planes = stacked(frames)
    assert planes.shape == (2, 9, 8, 10)
    for step in range(3):
        expected = frames[:, step].permute(0, 3, 1, 2).float() / 255.0
        torch.testing.assert_close(planes[:, 3 * step : 3 * step + 3], expected)
