"""Settings of the learner process; the numbers are in configs/learner/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steadyhand.runtime.classifier_manifest import MOST_STAGES
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["ClassifierConfig", "Device", "FitConfig", "LearnerConfig", "Precision", "ScaleFloors"]

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
Matmul = Literal["auto", "highest", "high", "medium"]


@dataclass(frozen=True)
class ScaleFloors:
    """Smallest standard deviations by which a component may be divided.

    Attributes:
        of_largest: As a share of the largest one in the same field.
        of_typical: As a share of the component's typical reading, where the schema has one (`FieldSpec.scale`).
    """

    of_largest: float
    of_typical: float = 0.0


@dataclass(frozen=True)
class FitConfig:
    """Length of the fit of a policy, and the number of candidates that it returns."""

    epochs: int  # passes over the training episodes
    validation_share: float  # share of the episodes held out
    candidates: int  # policies returned, evenly spaced over the epochs

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "epochs")
        share = self.validation_share
        expect(0.0 <= share < 1.0, "validation_share", "within [0, 1)", share)
        expect(1 <= self.candidates <= self.epochs, "candidates", f"within 1..{self.epochs}", self.candidates)


@dataclass(frozen=True)
class ClassifierConfig:
    """Settings of the examples of a success classifier, and of its training."""

    stages: tuple[str, ...]  # names of the task's stages in their order; the last one is the success
    # Examples.
    episodes: int  # recorded episodes with the success, those already in the set included
    episode_positives: int  # observations of the success after which a recorded episode ends
    wander_share: float  # share of episodes in which a scripted expert leaves the task and wanders about
    wander_steps: int  # steps within which it begins to wander
    wander_memory: float  # correlation of its action from step to step while it wanders
    # The network.
    fields: tuple[str, ...]  # observation fields that it reads; () = every vector, and every frame with an encoder
    encoder: str  # of frames
    encoder_weights: str | None  # safetensors file, for an encoder that needs one
    latent_size: int  # features a camera
    hidden: tuple[int, ...]  # units a layer
    # Labels of the observations of episodes without marks.
    positive_steps: int  # last observations of a success that show it
    ambiguous_steps: int  # observations before a stage that are left out
    holdout_share: float  # share of the episodes for the test alone
    # The fit.
    updates: int  # gradient steps
    batch_size: int  # rows of one step; every class has the same share
    learning_rate: float  # of Adam
    image_shift: int  # pixels of random shift of a frame
    std_floor: float  # smallest input deviation, as a share of the largest in the same field
    # The threshold, and the verdict on the classifier.
    false_positive_rate: float  # share of the held-out negatives above the suggested threshold, at most
    required_recall: float  # smallest recall at the suggested threshold; it counts before the rate

    def __post_init__(self) -> None:
        names = self.stages
        sound = bool(names) and len(set(names)) == len(names) <= MOST_STAGES and all(names)
        expect(sound, "stages", f"1 to {MOST_STAGES} different names", names)
        expect_at_least(
            self, 1, "latent_size", "positive_steps", "updates", "episodes", "episode_positives", "wander_steps"
        )
        expect_at_least(self, 1 + len(names), "batch_size")
        expect_at_least(self, 0, "ambiguous_steps", "image_shift")
        share = self.holdout_share
        expect(0.0 < share < 1.0, "holdout_share", "above 0 and below 1", share)
        expect_above(self, 0.0, "learning_rate", "std_floor")
        expect_within(
            self, 0.0, 1.0, "std_floor", "false_positive_rate", "required_recall", "wander_share", "wander_memory"
        )
        expect(all(width >= 1 for width in self.hidden), "hidden", "widths of at least 1", self.hidden)


@dataclass(frozen=True)
class LearnerConfig:
    """Settings of the process: pace, cold start, and the periods of publishing and saving."""

    device: Device  # auto = the fastest there is
    threads: int  # of torch on the CPU
    convolutions: Precision  # their precision; auto = bfloat16 on CUDA devices that support it
    matmul_precision: Matmul  # of float32 products, by torch's names; auto = the fastest that is still float32
    cuda_graph: bool  # record an update on a CUDA device once and replay it; elsewhere without effect
    prefetch: bool | None  # draw the next block on a thread of its own while one is made; null = on CUDA
    compile: bool  # compile a whole update on a CPU (torch.compile); elsewhere without effect
    # Pace.
    utd_ratio: float  # gradient updates per environment transition
    slack: float  # updates that the learner may be ahead
    start_transitions: int  # transitions before the first update online
    pretrain_updates: int  # gradient steps on the demonstrations before that; not counted in utd_ratio
    max_updates: int  # gradient updates online, then the learner only serves
    # Replay.
    capacity: int  # newest online starts that are sampled
    prior_share: float  # share of other runs' records (--logs) in the online rows, 0..1
    normaliser_std_floor: float  # smallest input deviation, as a share of the largest in the same field
    normaliser_typical_floor: float  # and as a share of the component's typical reading, where that is known
    # Periods, in gradient steps.
    publish_period: int
    checkpoint_period: int
    log_period: int
    keep_checkpoints: int
    # Admission.
    accept_other_robot: bool  # whether actors, demonstrations and checkpoints of another robot are accepted
    # Display.
    episode_window: int  # newest training episodes in the means of success, intervention and return

    def __post_init__(self) -> None:
        positive = ("threads", "utd_ratio", "capacity", "publish_period", "checkpoint_period", "log_period")
        expect_above(self, 0, *positive, "keep_checkpoints", "episode_window")
        expect_at_least(self, 0, "slack", "start_transitions", "pretrain_updates", "max_updates")
        expect_above(self, 0.0, "normaliser_std_floor")
        expect_within(self, 0.0, 1.0, "normaliser_std_floor", "normaliser_typical_floor", "prior_share")

    @property
    def scale_floors(self) -> ScaleFloors:
        """Return the smallest deviations of the policy's input scaling."""
        return ScaleFloors(self.normaliser_std_floor, self.normaliser_typical_floor)
