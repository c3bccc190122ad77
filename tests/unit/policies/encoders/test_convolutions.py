import torch
from torch import nn

from steadyhand.policies.encoders.convolutions import StridedConvolutions, initialise


def test_what_comes_out_has_the_shape_that_is_said():
    convolutions = StridedConvolutions((40, 56, 3), 2, (4, 8))
    found = convolutions(torch.randint(0, 256, (5, 2, 40, 56, 3), dtype=torch.uint8))
    assert found.shape == (5, *convolutions.shape)
    assert found.min() >= 0.0


def test_initial_weights_follow_from_the_generator_and_biases_are_zero():
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(6, 5)]
    initialise(layers, torch.Generator().manual_seed(0))
    before = [layer.weight.clone() for layer in (layers[0], layers[2])]
    initialise(layers, torch.Generator().manual_seed(0))
    for layer, weight in zip((layers[0], layers[2]), before, strict=True):
        assert torch.equal(layer.weight, weight)
        assert not layer.bias.any()
