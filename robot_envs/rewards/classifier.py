"""A learned success classifier as the reward: 1 on success, else 0 (SERL, arXiv 2401.16013; HIL-SERL, 2410.21845).

A classifier of several stages also rewards each stage before the last one, once an episode. The network is an ONNX
file that onnxruntime evaluates; torch is not needed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from steadyhand.robot_envs.rewards.certainty_watch import CertaintyWatch
from steadyhand.robot_envs.rewards.classifier_file import ClassifierFile
from steadyhand.robot_envs.rewards.confirmation import Confirmation, steps_of
from steadyhand.robot_envs.rewards.reward import LAST_STEP, Fields, Observation, Reward, Score
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within

__all__ = ["ClassifierReward", "ClassifierRewardSettings"]

TERM = "success_probability"


@dataclass(frozen=True)
class ClassifierRewardSettings:
    """Settings of the reward.

    Attributes:
        model: The ONNX file.
        threshold: Smallest probability at which a step counts as positive, above 0 and at most 1; None = the
            thresholds that the file suggests, one for each stage.
        confirm_steps: Number of positive steps among the newest `window_steps` that confirm a success or a stage.
        window_steps: Number of steps in which they are counted.
        hold_s: Time [s] for which the count has to stay that high before the success or the stage is confirmed.
        terminal_only: True if the classifier ends no episode and gives its reward in the episode's last step alone.
        stage_reward: Reward of each stage before the last one, once an episode.
        record_probability: True if records contain the probability of success as the term `success_probability`.
        relabel_replaced: True if the learner's start with another file scores the practice logs of the run anew.
        certainty_steps: Newest steps over which the mean certainty is watched.
        certainty_margin: Fall of it below that of the held-out episodes that is reported.
    """

    model: str
    threshold: float | None
    confirm_steps: int
    window_steps: int
    hold_s: float
    terminal_only: bool
    stage_reward: float
    record_probability: bool
    relabel_replaced: bool
    certainty_steps: int
    certainty_margin: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "threshold", "certainty_margin")
        expect_within(self, 0.0, 1.0, "threshold", "stage_reward", "certainty_margin")
        expect_at_least(self, 1, "confirm_steps", "certainty_steps")
        expect_at_least(self, self.confirm_steps, "window_steps")
        expect_within(self, 0.0, 60.0, "hold_s")


class ClassifierReward(Reward):
    """Classifier reward: a success, or a stage, needs enough steps whose probability reaches its threshold.

    Args:
        settings: The file, and the rule of confirmation.

    Raises:
        ConfigError: The file is missing, damaged or not a classifier.
        MissingRuntimeError: onnxruntime is not installed.
    """

    settings_type: ClassVar[type[Any]] = ClassifierRewardSettings

    def __init__(self, settings: ClassifierRewardSettings) -> None:
        self._settings, self._file = settings, ClassifierFile(settings.model)
        manifest = self._file.manifest
        self._thresholds = manifest.thresholds
        if settings.threshold is not None:
            self._thresholds = (settings.threshold,) * len(manifest.stages)
        self._watch = CertaintyWatch(manifest.certainty, settings.certainty_margin, settings.certainty_steps)
        self._confirmations: list[Confirmation] = []
        self._period_s: float | None = None
        self._rewarded = 0  # stages before the last one whose reward was given in this episode
        self._newest: tuple[float, ...] = ()
        self.reward_terms = (TERM,) if settings.record_probability else ()
        rule = (settings.confirm_steps, settings.window_steps, settings.hold_s, settings.terminal_only)
        self.fingerprint = f"{self._file.digest} {self._thresholds} {rule} {settings.stage_reward}"
        self.relabels = settings.relabel_replaced
        self._make_confirmations()

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages; the last one is the success."""
        return self._file.manifest.stages

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Smallest probability of each stage at which a step counts as positive."""
        return self._thresholds

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of each stage in the newest step; () before the first one."""
        return self._newest

    @property
    def needed_steps(self) -> int:
        """Smallest number of positive steps in a row that confirms a success."""
        return self._settings.confirm_steps + self._hold_steps()

    def check(self, fields: Fields) -> None:
        """Compare the file's inputs with the fields.

        Raises:
            ConfigError: A field that the classifier reads is missing, or is of another size, view or crop.
        """
        self._file.check(fields)

    def set_period(self, control_period_s: float) -> None:
        """Convert `hold_s` to steps."""
        self._period_s = control_period_s
        self._make_confirmations()

    def begin(self) -> None:
        """Forget the steps of the previous episode."""
        self._rewarded, self._newest = 0, ()
        for confirmation in self._confirmations:
            confirmation.begin()

    def score(
        self, observation: Observation, state: RobotState | None, outcome: Outcome, info: Mapping[str, Any]
    ) -> Score:
        """Return the reward of the stages that are confirmed at this step, and success if the last one is."""
        self._newest = tuple(self._file.probabilities(observation).tolist())
        probability = self._newest[-1]
        self._watch.add(probability)
        confirmed = 0
        for stage, confirmation in enumerate(self._confirmations, start=1):
            if confirmation.add(self._newest[stage - 1] >= self._thresholds[stage - 1]):
                confirmed = stage
        reward, success = self._pay(confirmed, bool(info.get(LAST_STEP, False)))
        terms = {TERM: probability} if self._settings.record_probability else {}
        return Score(reward, success, terms, probability if success else 1.0 - probability)

    def _pay(self, confirmed: int, is_last: bool) -> tuple[float, bool]:
        """Return the step's reward, and whether it is a success, with this many stages confirmed now."""
        if self._settings.terminal_only and not is_last:
            return 0.0, False
        success = confirmed == len(self._confirmations)
        # A later stage contains the earlier ones, even if these were never confirmed by themselves.
        before_last = min(confirmed, len(self._confirmations) - 1)
        new, self._rewarded = max(0, before_last - self._rewarded), max(before_last, self._rewarded)
        return float(success) + new * self._settings.stage_reward, success

    def _hold_steps(self) -> int:
        # Without a period, a time of any length is at least one step.
        hold_s, period_s = self._settings.hold_s, self._period_s
        return int(hold_s > 0.0) if period_s is None else steps_of(hold_s, period_s)

    def _make_confirmations(self) -> None:
        rule = (self._settings.confirm_steps, self._settings.window_steps, self._hold_steps())
        self._confirmations = [Confirmation(*rule) for _ in self._file.manifest.stages]
