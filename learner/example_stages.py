"""The stage that each observation of a recorded episode shows: by its marks, or by the episode's outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.config import ClassifierConfig
from steadyhand.transport.label_log import UNSURE
from steadyhand.transport.labelled import UNMARKED, EpisodeRows, LabelledColumns

__all__ = ["example_stages"]


def example_stages(columns: LabelledColumns, episode: EpisodeRows, config: ClassifierConfig) -> NDArray[np.int16]:
    """Return the number of stages that each observation of an episode shows as done, or UNSURE, (n,).

    In an episode with marks, an observation without one is unsure. In an episode without marks, the last
    `positive_steps` observations of a success show every stage. With one stage, its other observations show none;
    with several, they are unsure. The last `ambiguous_steps` observations of a stage before a higher one are unsure in
    both cases.
    """
    rows = episode.seen
    stages = columns.stage[rows].astype(np.int16)
    if (stages != UNMARKED).any():
        stages[stages == UNMARKED] = UNSURE
    else:
        stages[:] = 0 if len(config.stages) == 1 else UNSURE
        if columns.success[episode.steps].any():
            stages[-config.positive_steps :] = len(config.stages)
    rises = np.flatnonzero((np.diff(stages) > 0) & (stages[:-1] != UNSURE)) + 1
    marked = stages.copy()
    for rise in rises.tolist():
        before = rise - 1
        while before >= 0 and rise - before <= config.ambiguous_steps and marked[before] == marked[rise - 1]:
            stages[before] = UNSURE
            before -= 1
    return stages
