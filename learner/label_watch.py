"""Watch on recorded outcomes: it compares them with the verdicts that people give afterwards, as labels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from steadyhand.runtime.logging import get_logger
from steadyhand.transport.label_log import LabelReader, is_of_person
from steadyhand.transport.log_reader import LogReader

__all__ = ["LabelWatch"]

NEWEST = 20  # judged episodes over which the agreement is taken
FEWEST = 5  # judged episodes from which on it is reported
LEAST = 0.8  # agreement below which the reward misleads the policy

logger = get_logger("learner.label_watch")


class LabelWatch:
    """Reports once that labels of people contradict the recorded outcomes too often. Its end is reported, too."""

    def __init__(self) -> None:
        self._labels: dict[str, LabelReader] = {}
        self._agrees: dict[tuple[str, int], bool] = {}  # by session and first record, in the order of the labels
        self._has_fallen = False

    @property
    def agreement(self) -> float | None:
        """Share of the newest judged episodes whose recorded outcome the label repeats; None without any."""
        newest = list(self._agrees.values())[-NEWEST:]
        return sum(newest) / len(newest) if newest else None

    def look(self, readers: Iterable[LogReader]) -> None:
        """Take in the labels that were given since the last call. The readers must be up to date."""
        for reader in readers:
            known = self._labels.setdefault(reader.session_id, LabelReader(reader.folder, reader.session_id))
            for label in known.refresh():
                first, last = reader.locate(label.first_seq)[0], reader.locate(label.end_seq)[0]
                if not is_of_person(label) or last <= first:
                    continue
                recorded = bool(reader.gather(np.arange(first, last), "success").any())
                self._agrees.pop((reader.session_id, label.first_seq), None)  # the newest verdict counts
                self._agrees[reader.session_id, label.first_seq] = recorded == label.success
        agreement = self.agreement
        if agreement is None or len(self._agrees) < FEWEST:
            return
        if not self._has_fallen and agreement < LEAST:
            self._has_fallen = True
            logger.warning(
                "reward: expected recorded outcomes that people confirm, found that their labels contradict %.0f %% of "
                "the newest %d; check the reward with `steadyhand reward check`, and train it with these episodes",
                100 * (1.0 - agreement),
                min(len(self._agrees), NEWEST),
            )
        elif self._has_fallen and agreement >= LEAST:
            self._has_fallen = False
            logger.warning("reward: people's labels confirm the recorded outcomes again (%.0f %%)", 100 * agreement)
