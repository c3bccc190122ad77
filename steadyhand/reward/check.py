"""Compare a reward with recorded episodes: its false positives and false negatives, with the episodes named.

The exit status is 1 if the share of wrong negatives is above classifier.false_positive_rate, or a success is confirmed
in an episode that does not show it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from steadyhand.output import check_output
from steadyhand.reward.folders import example_folders, folders_and_overrides
from steadyhand.reward.verdicts import EpisodeVerdict, episode_verdicts
from steadyhand.robot_envs.rewards.classifier import ClassifierReward
from steadyhand.robot_envs.rewards.reward import find_reward
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.terminal import say
from steadyhand.training_settings import read_training_settings

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "A folder is a run, a set of examples, a demo set or a log. Marks and outcomes are as for `train`; give\n"
    "episodes that the classifier was not trained on. reward=classifier is chosen unless another one is.\n"
    "example: steadyhand reward check runs/other/examples reward.model=pegs.onnx reward.confirm_steps=2"
)
CHOSEN = ("reward=", "+reward=")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the folders and the file for the numbers."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="recorded episodes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers of every episode")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Score the episodes, print the totals and the wrong ones, and return 1 if there are too many."""
    given, words = folders_and_overrides(options.folders, overrides)
    if not any(word.startswith(CHOSEN) for word in words):
        words = ["reward=classifier", *words]
    composed = compose(words)
    reward = find_reward(composed["reward"]).make()
    if not isinstance(reward, ClassifierReward):
        raise ConfigError(
            f"reward check: expected a reward that a classifier gives, found {type(reward).__name__}; give "
            "reward=classifier reward.model=FILE"
        )
    if options.json is not None:
        check_output(options.json, "--json")
    config = replace(read_training_settings(composed).classifier, stages=reward.stages)
    verdicts = [one for folder in example_folders(given) for one in episode_verdicts(folder, reward, config)]
    if not verdicts:
        raise ConfigError("reward check: expected recorded episodes with examples, found none in the folders")
    negatives, wrong = sum(one.negatives for one in verdicts), sum(one.false_positives for one in verdicts)
    positives, missed = sum(one.positives for one in verdicts), sum(one.false_negatives for one in verdicts)
    say(f"{len(verdicts)} episodes, {negatives + positives} steps with a mark or an outcome:")
    say(f"  false positives: {wrong} of {negatives} steps ({_share(wrong, negatives)})")
    say(f"  false negatives: {missed} of {positives} steps ({_share(missed, positives)})")
    for one in verdicts:
        for line in _lines(one):
            say(f"  {one.folder} episode {one.episode_id}: {line}")
    if options.json is not None:
        totals = {"negatives": negatives, "false_positives": wrong, "positives": positives, "false_negatives": missed}
        report = {"thresholds": reward.thresholds, **totals, "episodes": [one.facts() for one in verdicts]}
        atomic_write_bytes(options.json, json.dumps(report, indent=2).encode())
    too_many = wrong > config.false_positive_rate * negatives
    return int(too_many or any(one.false_success is not None for one in verdicts))


def _lines(verdict: EpisodeVerdict) -> list[str]:
    """Return what is wrong with the reward's verdict on an episode, one line each."""
    lines = []
    if verdict.false_success is not None:
        lines.append(f"false success, confirmed at step {verdict.false_success}")
    elif verdict.false_positives:
        lines.append(
            f"{verdict.false_positives} false positives, none confirmed; the highest is {verdict.highest:.3f} at step "
            f"{verdict.highest_step}"
        )
    if verdict.missed:
        lines.append(f"missed success, {verdict.false_negatives} of {verdict.positives} positives below the threshold")
    return lines


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"
