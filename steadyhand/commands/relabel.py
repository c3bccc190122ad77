"""Say of a recorded episode that it was, or was not, a success. Nothing is rewritten: the newest word counts.

The learner of a running practice takes it up by itself; a demo set is read with it from the next start on.
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence
from pathlib import Path

from steadyhand.log_facts import episode_labels
from steadyhand.terminal import say
from steadyhand.transport.demo_set import DemoSetError
from steadyhand.transport.label_log import append_label

EPILOG = (
    "The reward goes to the episode's last step: 1 for a success and 0 otherwise, unless --reward says more.\n"
    "example: steadyhand relabel runs/pegs/log/4f1a... 12 --failure"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take the log, the episode and the verdict."""
    parser.add_argument("folder", type=Path, help="a demo set, or a session's log within a run")
    parser.add_argument("episode", type=int, help="its number, as `steadyhand inspect --episodes` shows it")
    verdict = parser.add_mutually_exclusive_group(required=True)
    verdict.add_argument("--success", action="store_true", help="the task was done at the last step")
    verdict.add_argument("--failure", action="store_true", help="it was not")
    parser.add_argument("--reward", type=float, metavar="R", help="of the last step")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Append the label, and print its version."""
    if overrides:
        raise DemoSetError(f"relabel: expected a folder and an episode, found also {overrides[0]}")
    author = getpass.getuser()
    version = 0
    for label in episode_labels(options.folder, options.episode, options.success, options.reward, author):
        version = append_label(options.folder, label).version
    verdict = "a success" if options.success else "no success"
    say(f"{options.folder}: episode {options.episode} is {verdict} (label {version})")
    return 0
