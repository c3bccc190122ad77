"""Settings of the learner; the numbers are in configs/algo/ and configs/learner/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["BcConfig", "Device", "LearnerConfig", "Precision", "SacConfig"]

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
CloningLoss = Literal["nll", "mse"]


@dataclass(frozen=True)
class SacConfig:
    """Soft actor-critic with a critic ensemble. RLPD is this with other numbers."""

    # Sampling.
    batch_size: int  # rows of one critic step
    demo_ratio: float  # share of each critic step's rows that come from the demo index, 0..1
    n_step: int  # control steps summed before bootstrapping
    gamma: float  # discount of one control step
    image_shift: int  # largest random shift of a frame in pixels (DrQ); 0 = none
    # Critic.
    critic_hidden: tuple[int, ...]  # units of each hidden layer
    critic_layer_norm: bool  # LayerNorm after each dense layer, before the ReLU
    num_critics: int  # critics in the ensemble
    num_min: int  # target critics drawn for each step's minimum
    critic_head: Literal["scalar", "hl_gauss"]
    value_range: tuple[float, float]  # values the hl_gauss head can express
    num_bins: int  # bins of the hl_gauss head
    bin_sigma: float  # smoothing of the hl_gauss target, in bin widths
    zero_init_last_layer: bool  # every critic starts at Q = 0
    target_clip: tuple[float, float] | None  # reachable returns; null = targets are not clipped
    backup_entropy: bool  # the target includes the entropy of the next action
    tau: float  # step of the target critics' moving average
    # Policy and temperature.
    policy_delay: int  # critic steps in a block, after which the policy and the temperature take one step each
    actor_q: Literal["mean", "min"]  # over all critics, in the policy's objective
    init_temperature: float  # first weight of the entropy
    target_entropy: float | None  # nats; null = -action_size / 2
    actor_bc_weight: float  # weight of imitating the demo and human rows; 0 = off
    actor_bc_loss: CloningLoss  # of those rows; also the loss of pretraining
    actor_bc_q_filter: bool  # imitate only rows whose recorded action has the higher Q
    policy_ema: float  # step of the published weights' moving average; 0 = publish the weights themselves
    # Optimisers.
    critic_lr: float
    policy_lr: float
    temperature_lr: float

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "batch_size", "n_step", "num_critics", "policy_delay", "critic_hidden")
        expect_above(self, 0.0, "init_temperature", "critic_lr", "policy_lr", "temperature_lr", "bin_sigma")
        expect_at_least(self, 0, "image_shift", "actor_bc_weight")
        expect_within(self, 0.0, 1.0, "demo_ratio", "gamma", "tau", "policy_ema")
        expect_above(self, 0.0, "gamma", "tau")
        expect(1 <= self.num_min <= self.num_critics, "num_min", f"within 1..{self.num_critics}", self.num_min)
        low, high = self.value_range
        expect(low < high, "value_range", "[low, high], low < high", self.value_range)
        expect(self.num_bins > 6 * self.bin_sigma + 1, "num_bins", "more than 6 bin_sigma + 1", self.num_bins)
        clip = self.target_clip
        expect(clip is None or clip[0] < clip[1], "target_clip", "null or [low, high], low < high", clip)


@dataclass(frozen=True)
class BcConfig:
    """Behaviour cloning on the demo index."""

    batch_size: int  # rows of one step
    loss: CloningLoss
    policy_lr: float
    image_shift: int  # largest random shift of a frame in pixels; 0 = none
    epochs: int  # passes over the training episodes
    validation_share: float  # share of the episodes held out
    candidates: int  # policies returned, evenly spaced over the epochs

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "batch_size", "epochs")
        expect_at_least(self, 0, "image_shift")
        expect_above(self, 0.0, "policy_lr")
        share = self.validation_share
        expect(0.0 <= share < 1.0, "validation_share", "within [0, 1)", share)
        expect(1 <= self.candidates <= self.epochs, "candidates", f"within 1..{self.epochs}", self.candidates)


@dataclass(frozen=True)
class LearnerConfig:
    """The process: pace, cold start, and how often it publishes and saves."""

    device: Device  # auto = the fastest there is
    threads: int  # of torch on the CPU
    convolutions: Precision  # what they compute in; auto = bfloat16 on CUDA, where it has products of it
    cuda_graph: bool  # record an update on a CUDA device once and replay it; elsewhere without effect
    prefetch: bool | None  # draw the next block on a thread of its own while one is made; null = on CUDA
    compile: bool  # fuse the dense layers' operations (torch.compile)
    # Pace.
    utd_ratio: float  # gradient updates per environment transition
    slack: float  # updates that the learner may be ahead
    start_transitions: int  # transitions before the first update online
    pretrain_updates: int  # gradient steps on the demonstrations before that; not counted in utd_ratio
    max_updates: int  # gradient updates online, then the learner only serves
    # Replay.
    capacity: int  # newest online starts that are sampled
    normaliser_std_floor: float  # smallest input deviation, as a share of the largest in the same field
    # Periods, in gradient steps.
    publish_period: int
    checkpoint_period: int
    log_period: int
    keep_checkpoints: int
    # What is shown.
    episode_window: int  # newest episodes of practice that success, help and return are over

    def __post_init__(self) -> None:
        positive = ("threads", "utd_ratio", "capacity", "publish_period", "checkpoint_period", "log_period")
        expect_above(self, 0, *positive, "keep_checkpoints", "episode_window")
        expect_at_least(self, 0, "slack", "start_transitions", "pretrain_updates", "max_updates")
        expect_above(self, 0.0, "normaliser_std_floor")
        expect_within(self, 0.0, 1.0, "normaliser_std_floor")
