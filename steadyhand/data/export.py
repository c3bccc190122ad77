"""Write a demo set or a log as another package's data set. Labels are applied; the set itself is not changed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.data.choice import chosen_numbers
from steadyhand.data.lerobot_writer import write_lerobot
from steadyhand.data.minari_writer import write_minari
from steadyhand.data.outgoing import open_outgoing
from steadyhand.data.robomimic_writer import write_robomimic
from steadyhand.data.staging import staged
from steadyhand.face.recorded import read_log
from steadyhand.settings import check_overrides
from steadyhand.terminal import say

__all__ = ["EPILOG", "FORMATS", "add_options", "run"]

FORMATS = ("lerobot", "robomimic", "minari")
EPILOG = (
    "The action is the one that was executed, in [-1, 1]. `data import` makes the same demo set of an export again:\n"
    "vectors and actions bit for bit, pictures too unless they were written as videos.\n"
    "example: steadyhand data export runs/pegs/demos pegs-lerobot --to lerobot --task 'insert the peg'\n"
    "example: steadyhand data export runs/pegs/log/4f1a... practice.hdf5 --to robomimic --successes"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the log, the result and its format."""
    parser.add_argument("folder", type=Path, help="a demo set, or a session's log within a run")
    parser.add_argument("out", type=Path, help="new folder (lerobot, minari) or file (robomimic)")
    parser.add_argument("--to", choices=FORMATS, required=True, help="the format")
    parser.add_argument("--episodes", metavar="N,N-N", help="only these, as `data show --episodes` numbers them")
    parser.add_argument("--successes", action="store_true", help="only successful episodes")
    parser.add_argument(
        "--frames", choices=("video", "png"), default="video", help="pictures of a LeRobot set; png loses nothing"
    )
    parser.add_argument("--task", default="", metavar="TEXT", help="the task in words, for a LeRobot set")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Export, and print the result and what the format does not keep."""
    check_overrides(overrides, "data export", ())
    facts = read_log(options.folder).facts
    numbers = [one.episode_id for one in facts.episodes if one.steps]
    chosen = chosen_numbers(options.episodes, numbers, "--episodes") if options.episodes else numbers
    if options.successes:
        won = {one.episode_id for one in facts.episodes if one.success}
        chosen = [number for number in chosen if number in won]
    outgoing = open_outgoing(options.folder, chosen)
    with staged(options.out) as place:
        if options.to == "lerobot":
            task = options.task or str(outgoing.own["task"].get("name") or "perform the task")
            notes = write_lerobot(outgoing, place, options.frames == "png", task)
        elif options.to == "robomimic":
            notes = write_robomimic(outgoing, place)
        else:
            notes = write_minari(outgoing, place, options.out.name)
    for note in notes:
        say(f"note: {note}")
    say(f"{len(outgoing.chosen)} episodes as {options.to}: {options.out}")
    return 0
