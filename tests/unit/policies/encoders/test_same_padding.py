import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies.encoders.same_padding import SameConv2d, pad_same


@pytest.mark.parametrize(
    ("kernel", "stride", "size", "before", "after"),
    # As TensorFlow defines SAME: what is odd goes behind.
    [(3, 2, 8, 0, 1), (3, 2, 9, 1, 1), (5, 2, 8, 1, 2), (3, 1, 8, 1, 1), (1, 2, 8, 0, 0)],
)
def test_borders_are_those_that_tensorflow_calls_same(kernel, stride, size, before, after):
    images = torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(0))
    padded = F.pad(images, (before, after, before, after))
    torch.testing.assert_close(pad_same(images, kernel, stride), padded)
    convolution = SameConv2d(3, 4, kernel, stride)
    out = convolution(images)
    assert out.shape[-1] == -(-size // stride)
    torch.testing.assert_close(out, F.conv2d(padded, convolution.weight, convolution.bias, stride))
