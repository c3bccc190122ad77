"""Mark recorded episodes as success or failure. No record is rewritten: the newest label counts.

An episode gets the caller's verdict, or every step gets the score of a reward component. A running learner applies
the labels by itself. Labels of a demo set apply from the next start.
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from steadyhand.log_facts import episode_labels, log_folders
from steadyhand.reward_labels import reward_labels
from steadyhand.robot_envs.rewards.reward import find_reward
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import quoted
from steadyhand.terminal import say
from steadyhand.transport.demo_set import DemoSetError
from steadyhand.transport.label_log import append_label

EPILOG = (
    "With --success or --failure the episode gets that verdict. The reward goes to its last step: 1 for a success and\n"
    "0 otherwise, unless --reward says more. Without them --reward names an option of the group `reward`,\n"
    "which scores every step of the episode, or of all episodes where none is named; a second time changes nothing.\n"
    "A run stands for its practice logs there.\n"
    "example: steadyhand relabel runs/pegs/log/4f1a... 12 --failure\n"
    "example: steadyhand relabel runs/pegs --reward classifier reward.model=pegs.onnx"
)

PRACTICE = "log"  # the folder of a run with its practice logs

N = TypeVar("N", int, float)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the log, the episode and the verdict."""
    parser.add_argument("folder", type=Path, help="a demo set, a session's log, or a run")
    parser.add_argument("episode", nargs="?", help="its number, as `steadyhand inspect --episodes` shows it")
    verdict = parser.add_mutually_exclusive_group()
    verdict.add_argument("--success", action="store_true", help="the task was done at the last step")
    verdict.add_argument("--failure", action="store_true", help="it was not")
    parser.add_argument("--reward", metavar="R", help="of the last step; or the reward component that scores all steps")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Append the labels, and print their version."""
    words = list(overrides)
    if options.episode is not None and "=" in options.episode:  # an override that stands where the episode may
        words.insert(0, options.episode)
        options.episode = None
    episode = None if options.episode is None else _number(options.episode, int, "episode", "a whole number")
    if options.success or options.failure:
        return _verdict(options, episode, words)
    return _scores(options, episode, words)


def _verdict(options: argparse.Namespace, episode: int | None, overrides: Sequence[str]) -> int:
    if overrides or episode is None:
        found = f"also {overrides[0]}" if overrides else "no episode"
        raise DemoSetError(f"relabel: expected a folder and an episode, found {found}")
    reward = None if options.reward is None else _number(options.reward, float, "--reward", "a number")
    author = getpass.getuser()
    version = 0
    for label in episode_labels(options.folder, episode, options.success, reward, author):
        version = append_label(options.folder, label).version
    verdict = "a success" if options.success else "no success"
    say(f"{options.folder}: episode {episode} is {verdict} (label {version})")
    return 0


def _scores(options: argparse.Namespace, episode: int | None, overrides: Sequence[str]) -> int:
    if options.reward is None:
        raise ConfigError("relabel: expected --success, --failure or --reward NAME, found none of them")
    reward = find_reward(compose([f"reward={options.reward}", *overrides])["reward"]).make()
    for folder in _logs(options.folder, episode):
        labels, scored = reward_labels(folder, reward, episode)
        version = 0
        for label in labels:
            version = append_label(folder, label).version
        newest = f" (label {version})" if labels else ""
        say(f"{folder}: {scored} episodes scored by reward={options.reward}, {len(labels)} changed{newest}")
    return 0


def _logs(folder: Path, episode: int | None) -> list[Path]:
    """Return the folder, or of a run its practice logs."""
    if not (folder / PRACTICE).is_dir():
        return [folder]
    if episode is not None:
        raise ConfigError(f"relabel: expected a session's log in {folder / PRACTICE} with an episode, found a run")
    if not (logs := log_folders(folder / PRACTICE)):
        raise ConfigError(f"relabel: expected practice logs in {folder / PRACTICE}, found none")
    return logs


def _number(text: str, kind: type[N], where: str, expected: str) -> N:
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"{where}: expected {expected}, found {quoted(text)}") from None
