"""Settings of the policy network; the numbers are in configs/policy/."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.policies.encoders import ENCODERS, is_encoder, is_frozen
from steadyhand.policies.spec import Activation
from steadyhand.runtime.ranges import expect, expect_at_least, expect_within

__all__ = ["PolicyConfig"]

LOG_STD_LOW, LOG_STD_HIGH = -20.0, 5.0  # beyond them exp() covers none, or all, of the action's range


@dataclass(frozen=True)
class PolicyConfig:
    """Inputs and layer sizes of the policy; with the actor's schema they become a `PolicySpec`."""

    observation_keys: tuple[str, ...]  # observation fields the policy reads; empty = all but the hidden ones
    hidden_keys: tuple[str, ...]  # fields that the policy does not read, where the robot has them
    obs_horizon: int  # observations a decision sees, the newest last
    hidden: tuple[int, ...]  # units of each hidden layer
    layer_norm: bool  # LayerNorm after each dense layer, before the activation
    activation: Activation
    encoder: str
    encoder_weights: str | None  # safetensors file of a frozen encoder; null = it needs none, or a package has them
    feature_cache: int  # shifted views of each frame whose features the learner keeps, for a frozen encoder; 0 = none
    latent_size: int  # features per camera
    log_std_min: float  # lower clip of the log standard deviation, before tanh
    log_std_max: float  # upper clip of the log standard deviation, before tanh
    log_std_start: float | None  # its value before training; null = the value of a random layer
    hides_privileged: bool = False  # true: it does not read the fields that the task calls privileged

    def __post_init__(self) -> None:
        if not is_encoder(self.encoder):
            raise ValueError(f"encoder: expected one of {', '.join(ENCODERS)}, found {self.encoder!r}")
        if self.feature_cache and not (self.feature_cache > 0 and is_frozen(self.encoder)):
            raise ValueError(
                "feature_cache: expected views of a frozen encoder, or 0, "
                f"found {self.feature_cache} with encoder={self.encoder}"
            )
        expect_at_least(self, 1, "obs_horizon", "hidden", "latent_size")
        expect_within(self, LOG_STD_LOW, LOG_STD_HIGH, "log_std_min", "log_std_max", "log_std_start")
        low, high = self.log_std_min, self.log_std_max
        expect(low < high, "log_std_max", f"above log_std_min = {low}", high)
        start = self.log_std_start
        expect(start is None or low <= start <= high, "log_std_start", f"null or within [{low}, {high}]", start)
