"""Convolution and pooling with the borders that TensorFlow and JAX call SAME, which their weights were trained with."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

__all__ = ["SameConv2d", "pad_same"]


def pad_same(x: Tensor, kernel: int, stride: int, value: float = 0.0) -> Tensor:
    """Pad images (N, C, h, w) so that ceil(h / stride) rows come out; an odd border is at the bottom and the right."""
    rows, columns = (max(kernel - stride if size % stride == 0 else kernel - size % stride, 0) for size in x.shape[-2:])
    if rows == columns == 0:
        return x
    return F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2), value=value)


class SameConv2d(nn.Conv2d):
    """A convolution with SAME borders; its arguments are those of `nn.Conv2d`, without the padding."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True
    ) -> None:
        # With stride 1 the borders are equal on both sides, and the convolution adds them at no cost.
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  as torch calls it
        """Convolve images (N, C, h, w)."""
        if self.padding[0] == 0:
            input = pad_same(input, self.kernel_size[0], self.stride[0])  # noqa: A001
        return super().forward(input)
