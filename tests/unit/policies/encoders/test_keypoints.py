import torch

from steadyhand.policies.encoders.keypoints import Keypoints


def make(height=40, width=56, horizon=1, latent_size=8):
    return Keypoints((height, width, 3), horizon, latent_size, torch.Generator().manual_seed(0))


def spot(row, column, height=40, width=56):
    frames = torch.zeros(1, 1, height, width, 3, dtype=torch.uint8)
    frames[:, :, row - 2 : row + 3, column - 2 : column + 3, 0] = 255
    return frames


def brightness(encoder):
    """Weights whose every map is the frame's red channel, so that each keypoint is where the frame is bright."""
    with torch.no_grad():
        for layer in (*encoder.convolutions, encoder.maps):
            layer.weight.zero_()
            layer.weight[:, 0, 1, 1] = 1.0
        encoder.maps.weight.mul_(1_000.0)
    return encoder


def test_shape_and_range():
    latent = make(horizon=3)(torch.randint(0, 256, (5, 3, 40, 56, 3), dtype=torch.uint8))
    assert latent.shape == (5, 8)
    assert latent.abs().max() <= 1.0


def test_a_keypoint_is_the_row_and_the_column_of_what_it_looks_for():
    encoder = brightness(make())
    for row, column in ((7, 7), (19, 43), (31, 27)):
        found = encoder(spot(row, column)).reshape(4, 2)
        # Through the three layers a map looks at every fourth pixel, from 7 to 31 and from 7 to 47.
        expected = torch.tensor([2.0 * (row - 7) / 24 - 1.0, 2.0 * (column - 7) / 40 - 1.0])
        torch.testing.assert_close(found, expected.expand(4, 2))


def test_what_moves_right_moves_the_column_alone():
    encoder = brightness(make())
    moved = (encoder(spot(19, 39)) - encoder(spot(19, 23))).reshape(4, 2)
    assert (moved[:, 0].abs() < 0.05).all()
    assert (moved[:, 1] > 0.4).all()


def test_the_same_seed_gives_the_same_weights_and_all_of_them_learn():
    one, other = make(), make()
    loss = one(torch.randint(0, 256, (2, 1, 40, 56, 3), dtype=torch.uint8)).square().sum()
    loss.backward()
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
        assert mine.grad is not None
    assert not any(name.startswith("places") for name in one.state_dict())
