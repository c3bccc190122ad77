"""The specification both processes build the policy from: the learner writes it, the actor receives it on connect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import msgspec

from steadyhand.policies.critic import CriticSettings
from steadyhand.policies.encoders import ENCODERS, is_encoder
from steadyhand.runtime.observation_kinds import DTYPES, IMAGE, VECTOR

__all__ = ["Activation", "GripperHead", "InputSpec", "PolicySpec", "PolicySpecError"]

Activation = Literal["relu", "tanh"]
GripperHead = Literal["gaussian", "decisions"]

MIN_FRAME_SIDE = 31  # pixels; below this the four strided layers of the small CNN leave nothing


class PolicySpecError(ValueError):
    """A policy specification that cannot be built."""


@dataclass(frozen=True)
class InputSpec:
    """One observation field that the policy reads."""

    key: str
    shape: tuple[int, ...]  # one step, without batch and horizon: (D,) for a vector, (height, width, 3) for a frame
    dtype: str  # float32 = vector in SI units, uint8 = RGB frame
    frame: str = ""  # of a camera: the schema's frame, which tells one crop from another; "" = not given

    @property
    def is_frame(self) -> bool:
        """True while the field is a camera frame."""
        return self.dtype == IMAGE.dtype


@dataclass(frozen=True)
class PolicySpec:
    """Everything that fixes the policy's architecture and its input scaling, but not its weights."""

    inputs: tuple[InputSpec, ...]
    obs_horizon: int
    action_size: int
    hidden: tuple[int, ...]
    layer_norm: bool
    activation: Activation
    encoder: str
    latent_size: int
    log_std_min: float
    log_std_max: float
    log_std_start: float | None
    normaliser: dict[str, tuple[list[float], list[float]]]  # vector key -> (mean, standard deviation), each (D,), SI
    encoder_hash: str  # sha256 of the backbone that both sides must hold; "" = the whole encoder is trained
    residual_scale: float = 0.0  # largest change of an action's entry by the residual network; 0 = there is none
    gripper_entries: tuple[int, ...] = ()  # entries of an action that command grippers, ascending; () = none is known
    gripper_head: GripperHead = "gaussian"  # gaussian = axes of the Gaussian; decisions = close, stay or open
    decision_epsilon: float = 0.0  # probability that a drawn action has a random decision, for each gripper
    chooser: CriticSettings | None = None  # critics that choose between the clone's and a second network's action

    def __post_init__(self) -> None:
        _require(len(self.inputs) > 0, "inputs", "at least one observation field", self.inputs)
        _require(self.obs_horizon >= 1, "obs_horizon", "at least 1", self.obs_horizon)
        _require(self.action_size >= 1, "action_size", "at least 1", self.action_size)
        _require(all(width >= 1 for width in self.hidden), "hidden", "positive layer widths", self.hidden)
        _require(
            self.activation in get_args(Activation), "activation", f"one of {get_args(Activation)}", self.activation
        )
        _require(is_encoder(self.encoder), "encoder", f"one of {ENCODERS}", self.encoder)
        _require(self.log_std_min < self.log_std_max, "log_std_min", f"less than {self.log_std_max}", self.log_std_min)
        start, low, high = self.log_std_start, self.log_std_min, self.log_std_max
        _require(start is None or low <= start <= high, "log_std_start", f"null or within [{low}, {high}]", start)
        _require(0.0 <= self.residual_scale <= 2.0, "residual_scale", "within [0, 2]", self.residual_scale)
        entries = self.gripper_entries
        ascending = list(entries) == sorted(set(entries)) and all(0 <= entry < self.action_size for entry in entries)
        _require(ascending, "gripper_entries", f"ascending entries of {self.action_size}", entries)
        heads = get_args(GripperHead)
        _require(self.gripper_head in heads, "gripper_head", f"one of {heads}", self.gripper_head)
        moves = len(self.decided) < self.action_size
        _require(moves, "gripper_entries", "fewer than the action's, with gripper_head=decisions", entries)
        _require(0.0 <= self.decision_epsilon <= 1.0, "decision_epsilon", "within [0, 1]", self.decision_epsilon)
        alone = self.chooser is None or (self.residual_scale == 0.0 and not self.decided)
        _require(alone, "chooser", "null beside a residual network or gripper_head=decisions", self.chooser)
        keys = [item.key for item in self.inputs]
        _require(len(set(keys)) == len(keys), "inputs", "distinct keys", keys)
        for item in self.inputs:
            self._check_input(item)

    @property
    def decided(self) -> tuple[int, ...]:
        """Discrete entries of an action, D of them: those of the grippers with `gripper_head=decisions`, else none."""
        return self.gripper_entries if self.gripper_head == "decisions" else ()

    @property
    def motion_size(self) -> int:
        """Number of continuous entries of an action."""
        return self.action_size - len(self.decided)

    def _check_input(self, item: InputSpec) -> None:
        if item.is_frame:
            _require(self.encoder != "none", "encoder", f"an encoder for the frame {item.key!r}", self.encoder)
            fits = len(item.shape) == 3 and min(item.shape[:2]) >= MIN_FRAME_SIDE
            _require(fits, item.key, f"a frame (h, w, channels), sides >= {MIN_FRAME_SIDE} pixels", item.shape)
            _require(self.latent_size >= 1, "latent_size", "at least 1", self.latent_size)
            whole = self.encoder != "keypoints" or self.latent_size % 2 == 0
            _require(whole, "latent_size", "even with the encoder keypoints, two features each", self.latent_size)
            return
        _require(item.dtype == VECTOR.dtype, item.key, f"dtype {' or '.join(DTYPES)}", item.dtype)
        _require(len(item.shape) == 1, item.key, "a vector of shape (D,)", item.shape)
        if item.key in self.normaliser:
            mean, std = self.normaliser[item.key]
            fits = len(mean) == len(std) == item.shape[0] and all(value > 0 for value in std)
            _require(fits, f"normaliser[{item.key!r}]", f"{item.shape[0]} means and positive deviations", (mean, std))

    def to_json(self) -> dict[str, Any]:
        """Return the specification as plain JSON types."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PolicySpec:
        """Read a specification; raises `PolicySpecError` on an unknown, missing or ill-typed field."""
        known = {field.name for field in fields(cls)}
        _require(set(data) <= known, "fields", f"only {sorted(known)}", sorted(data))
        try:
            return msgspec.convert(dict(data), cls)
        except msgspec.ValidationError as error:
            raise PolicySpecError(f"policy spec: {error}; learner and actor must run the same version") from error


def _require(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise PolicySpecError(f"policy spec: {name} must be {expected}, found {found!r}; correct configs/policy")
