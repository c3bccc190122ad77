"""Verdicts of a classifier reward on recorded episodes, compared with the examples in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.config import ClassifierConfig
from steadyhand.learner.example_stages import example_stages
from steadyhand.robot_envs.rewards.classifier import ClassifierReward
from steadyhand.robot_envs.rewards.reward import LAST_STEP, SeenField
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.transport.label_log import UNSURE
from steadyhand.transport.labelled import EpisodeRows, labelled_columns
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import OBSERVATION

__all__ = ["EpisodeVerdict", "episode_verdicts"]

NO_OUTCOME = Outcome(0.0, False, float("nan"))  # a classifier reads the observation alone


@dataclass(frozen=True)
class EpisodeVerdict:
    """The reward's verdict on one recorded episode.

    Attributes:
        folder: Its log.
        episode_id: Its number there.
        negatives: Observations without the success, first one excluded: no step leads to it.
        false_positives: Steps to these whose probability reaches the threshold.
        positives: Observations that show the success.
        false_negatives: Steps to these whose probability does not reach it.
        highest: Largest probability of success at an observation without it; 0 where there is none.
        highest_step: The step to that observation.
        false_success: Step at which the reward confirms a success before any observation shows it; None without one.
        missed: True if the success was shown long enough for a confirmation, and never confirmed.
    """

    folder: Path
    episode_id: int
    negatives: int
    false_positives: int
    positives: int
    false_negatives: int
    highest: float
    highest_step: int
    false_success: int | None
    missed: bool

    def facts(self) -> dict[str, Any]:
        """Return the numbers as JSON holds them."""
        return {**vars(self), "folder": str(self.folder)}


def episode_verdicts(folder: Path, reward: ClassifierReward, config: ClassifierConfig) -> Iterator[EpisodeVerdict]:
    """Score every episode of a log, and compare the scores with its marks, or with its outcome.

    Args:
        folder: A set of examples, a demo set or a log.
        reward: The reward.
        config: Settings of the examples; its stages are those of the reward.

    Raises:
        ConfigError: The reward reads a field that was not recorded, or one of another view or crop.
        LogError: There is no such log.
        LabelError: The label log is damaged.
    """
    with closing(LogReader(folder)) as reader:
        fields = reader.schema.observation
        reward.check({field.name: SeenField(field.shape, field.dtype, field.frame) for field in fields})
        reward.set_period(reader.schema.control_period_s)
        columns, last = labelled_columns(reader), len(config.stages)
        for episode in columns.episodes():
            stages = example_stages(columns, episode, config)[1:]
            known = stages != UNSURE
            if not known.any():
                continue
            probability, confirmed = _scores(reader, reward, episode)
            said, shows = probability >= reward.thresholds[-1], stages == last
            negative = known & ~shows
            highest = int(np.argmax(np.where(negative, probability, -1.0))) if negative.any() else 0
            # Within the ambiguous observations before the first positive one, a confirmation may be right.
            first = int(np.argmax(shows)) if shows.any() else len(shows)
            early = np.flatnonzero(confirmed[:first] & known[:first])
            yield EpisodeVerdict(
                folder=folder,
                episode_id=episode.episode_id,
                negatives=int(negative.sum()),
                false_positives=int((said & negative).sum()),
                positives=int(shows.sum()),
                false_negatives=int((~said & shows).sum()),
                highest=float(probability[highest]) if negative.any() else 0.0,
                highest_step=highest,
                false_success=int(early[0]) if len(early) else None,
                missed=_longest(shows) >= reward.needed_steps and not confirmed.any(),
            )


def _scores(
    reader: LogReader, reward: ClassifierReward, episode: EpisodeRows
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probability of success, and the confirmed success, after each step, (T,)."""
    rows = episode.seen
    record = reader.read(int(rows[0]), int(rows[-1]) + 1)
    names = [field.name for field in reader.schema.observation]
    probability, confirmed = np.zeros(len(rows) - 1), np.zeros(len(rows) - 1, np.bool_)
    reward.begin()
    for step in range(len(rows) - 1):
        seen = {name: record[step + 1][OBSERVATION + name] for name in names}
        score = reward.score(seen, None, NO_OUTCOME, {LAST_STEP: step == len(rows) - 2})
        probability[step], confirmed[step] = reward.probabilities[-1], score.success
    return probability, confirmed


def _longest(mask: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
