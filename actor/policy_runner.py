"""The policy on the robot: the newest observations in, an action out, newer weights between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from steadyhand.actor.observation_window import ObservationWindow
from steadyhand.actor.runner import NO_POLICY
from steadyhand.policies import Backbone, InputSpec, Policy, PolicySpec, PolicyWeightsError, load_backbone
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger, quoted
from steadyhand.transport.schema import Schema, SchemaError
from steadyhand.transport.weights import Weights, newer

__all__ = ["PolicyRunner", "check_inputs", "use_one_thread"]

logger = get_logger("actor.policy_runner")


class PolicyRunner:
    """Runs the policy of one specification.

    New weights go into a second copy of the network, which takes over only after it has passed every check: a step
    sees the old policy or the new one, never a mixture.

    Args:
        spec: Specification of the policy, from the learner's ACCEPT or a checkpoint.
        schema: Schema of the environment that it acts in.
        clock: Monotonic; it only measures the age of the policy.
        seed: Fixes the noise of the actions.
        encoder_weights: A file of a frozen encoder's weights, when the spec names an encoder that needs one.

    Raises:
        SchemaError: The policy reads a field that the environment does not have.
        EncoderError: The weights of the frozen encoder are missing here, or are not those that the spec names.
    """

    def __init__(
        self,
        spec: PolicySpec,
        schema: Schema,
        clock: Clock,
        seed: int,
        encoder_weights: str | None = None,
    ) -> None:
        check_inputs(spec, schema)
        self.spec = spec
        self.rejected = 0  # offers that failed a check
        self._clock = clock
        # Two seeds, so that the noise does not repeat itself after a swap.
        # A frame of a frozen encoder is kept as its map: it is encoded once, however often it is read.
        self._backbone = load_backbone(spec.encoder, encoder_weights)
        self._active, self._standby = (Policy(spec, 2 * seed + copy, self._backbone) for copy in range(2))
        fields = [(item.key, *_kept(item, self._backbone)) for item in spec.inputs]
        self._window = ObservationWindow(fields, spec.obs_horizon)
        self._weights: Weights | None = None
        self._swapped_ns = 0

    @property
    def ready(self) -> bool:
        """Return whether there are weights to act with."""
        return self._weights is not None

    @property
    def policy_version(self) -> int:
        """Return the version of the weights in use; -1 before the first."""
        return NO_POLICY if self._weights is None else self._weights.policy_version

    @property
    def learner_epoch(self) -> int:
        """Return the learner's start that made the weights in use; -1 before the first."""
        return NO_POLICY if self._weights is None else self._weights.learner_epoch

    @property
    def age_s(self) -> float:
        """Return the time since the weights in use arrived, in seconds; infinite before the first."""
        return (self._clock.now_ns() - self._swapped_ns) / 1e9 if self.ready else float("inf")

    @property
    def seen(self) -> dict[str, NDArray[Any]]:
        """Return the newest observations (H, ...) by input, as the networks read them; the next one overwrites them."""
        return self._window.arrays

    def offer(self, weights: Weights) -> bool:
        """Switch to newer weights, if they are sound; return whether they are in use now."""
        if not self.check(weights, self._window.arrays):
            return False
        self.swap(weights)
        return True

    def check(self, weights: Weights, seen: Mapping[str, NDArray[Any]]) -> bool:
        """Put newer weights into the second network and try them out; return whether they are sound.

        It may run on another thread than the one that acts.

        Args:
            weights: New weights; ignored when they are not newer.
            seen: Observations as in `seen`, which no thread overwrites meanwhile.
        """
        if not newer(weights, self._weights):
            return False
        try:
            self._standby.load_tensors(weights.tensors)
            self._check_canary(seen)
        except PolicyWeightsError as error:
            self.rejected += 1
            logger.warning("weights ignored, policy stays at version %d: %s", self.policy_version, quoted(error, 300))
            return False
        return True

    def swap(self, weights: Weights) -> None:
        """Act with the weights that `check` has found sound last."""
        crashpoint("weights.offered")
        self._active, self._standby = self._standby, self._active
        self._weights = weights
        self._swapped_ns = self._clock.now_ns()
        crashpoint("weights.swapped")

    def begin(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Start an episode: the first observation also fills the places of those before it."""
        self._window.begin(self._seen(observation))

    def observe(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Take in the observation after a step."""
        self._window.observe(self._seen(observation))

    def act(self, deterministic: bool) -> NDArray[np.float32]:
        """Return the action (A,) in [-1, 1] for the newest observations."""
        return self._active.act(self._window.arrays, deterministic)

    def _seen(self, observation: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Return the policy's inputs of an observation: frames pass through the frozen encoder, where there is one."""
        backbone = self._backbone
        if backbone is None:
            return observation
        return {
            item.key: _map(backbone, observation[item.key]) if item.is_frame else observation[item.key]
            for item in self.spec.inputs
        }

    def _check_canary(self, seen: Mapping[str, NDArray[Any]]) -> None:
        """Refuse weights whose numbers are finite and whose actions are not."""
        # A drawn action: it shows a non-finite mean as well as a non-finite spread in one pass over the frames.
        action = self._standby.act(seen, deterministic=False)
        if not (np.abs(action) <= 1.0).all():
            raise PolicyWeightsError(f"weights: expected a canary action in [-1, 1], found {action}")


def use_one_thread() -> None:
    """Limit torch to one thread: a second one only slows a small network, and the learner beside it."""
    torch.set_num_threads(1)


def _map(backbone: Backbone, frame: NDArray[Any]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = backbone(torch.from_numpy(np.ascontiguousarray(frame))[None, None])[0, 0].numpy()
    return found


def _kept(item: InputSpec, backbone: Backbone | None) -> tuple[tuple[int, ...], str]:
    """Return shape and dtype of the stored form of one observation."""
    if backbone is None or not item.is_frame:
        return item.shape, item.dtype
    return backbone.map_shape(item.shape), "float32"


def check_inputs(spec: PolicySpec, schema: Schema) -> None:
    """Check that an environment has the fields that a policy reads, and takes its actions.

    Raises:
        SchemaError: It does not.
    """
    for item in spec.inputs:
        field = schema.observation_field(item.key)
        if item.frame not in ("", field.frame):
            raise SchemaError(
                f"policy input {item.key}: expected {item.frame}, found {field.frame} in the environment; choose the "
                "camera it was trained with"
            )
        if (field.shape, field.dtype) != (item.shape, item.dtype):
            raise SchemaError(
                f"policy input {item.key}: expected {item.shape} {item.dtype}, "
                f"found {field.shape} {field.dtype} in the environment"
            )
    if schema.action.shape != (spec.action_size,):
        raise SchemaError(f"policy: expected an action of size {spec.action_size}, found {schema.action.shape}")
