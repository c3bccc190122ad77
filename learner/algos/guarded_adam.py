"""Adam that leaves weights and moments alone when a loss or a gradient is not finite, and counts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

__all__ = ["GuardedAdam"]

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's own defaults; no task has needed others


class GuardedAdam:
    """Fused Adam whose step is skipped on the device, without a host synchronisation.

    Args:
        parameters: The weights to optimise; each must take part in every loss.
        lr: Learning rate.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        self._parameters: list[Tensor] = list(parameters)
        if not all(parameter.is_contiguous() for parameter in self._parameters):
            raise ValueError("parameters: expected contiguous tensors, found others; call contiguous() on them")
        self._lr = lr
        self._first = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._second = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._steps = [torch.zeros((), device=parameter.device) for parameter in self._parameters]
        self.skipped = torch.zeros((), device=self._parameters[0].device)

    def step(self, loss: Tensor, wanted: Tensor | None = None) -> Tensor:
        """Differentiate `loss` and step; returns the gradient norm ().

        Args:
            loss: The loss ().
            wanted: 0 leaves weights and moments alone, 1 does not (); None = 1.
        """
        # The fused kernel walks weights and gradients side by side in memory, and a convolution over channels_last
        # frames gives its gradient in another order than its weights. Without this copy every step would be wrong.
        gradients = [gradient.contiguous() for gradient in torch.autograd.grad(loss, self._parameters)]
        norm: Tensor = torch.stack(torch._foreach_norm(gradients)).norm()
        broken = (~torch.isfinite(norm + loss.detach())).float()
        left_out = broken if wanted is None else torch.maximum(broken, 1.0 - wanted)
        with torch.no_grad():
            if torch.compiler.is_compiling():
                self._step_plainly(gradients, left_out == 0.0)
            else:
                adam(
                    self._parameters, gradients, self._first, self._second, [], self._steps,
                    fused=True, found_inf=left_out,  # the fused kernel does nothing where found_inf is 1
                    amsgrad=False, beta1=BETA_1, beta2=BETA_2, lr=self._lr, weight_decay=0.0, eps=EPSILON,
                    maximize=False,
                )  # fmt: skip
            self.skipped += broken
        return norm

    def _step_plainly(self, gradients: Sequence[Tensor], is_sound: Tensor) -> None:
        """Make the same step in operations that a compiler can fuse with those around them."""
        tensors = zip(self._parameters, gradients, self._first, self._second, self._steps, strict=True)
        for parameter, gradient, first, second, steps in tensors:
            steps += is_sound
            new_first = first.lerp(gradient, 1.0 - BETA_1)
            new_second = second.lerp(gradient.square(), 1.0 - BETA_2)
            size = (new_second / (1.0 - BETA_2**steps)).sqrt() + EPSILON
            change = self._lr * new_first / (1.0 - BETA_1**steps) / size
            parameter.copy_(torch.where(is_sound, parameter - change, parameter))
            first.copy_(torch.where(is_sound, new_first, first))
            second.copy_(torch.where(is_sound, new_second, second))

    def state_tensors(self) -> dict[str, Tensor]:
        """Moments, step counts and the count of skipped steps by name; views, not copies."""
        tensors = {"skipped": self.skipped}
        for name, values in (("first", self._first), ("second", self._second), ("steps", self._steps)):
            tensors |= {f"{name}/{index}": value for index, value in enumerate(values)}
        return tensors
