"""Cut steps off the ends of one episode of a demo set, for example a start before the operator moved."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from steadyhand.data.choice import chosen_numbers
from steadyhand.data.result import add_place, write_result
from steadyhand.data.rewrite import Cut, Part, episode_numbers
from steadyhand.log_facts import episode_labels, read_log
from steadyhand.settings import check_overrides
from steadyhand.terminal import say
from steadyhand.transport.demo_set import DemoSetError, read_manifest, write_manifest
from steadyhand.transport.label_log import append_label

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "An episode whose end is cut off is truncated there and counts as no success, unless --success says that the task\n"
    "was done at its new last step. The episodes are numbered anew from 0.\n"
    "example: steadyhand data trim runs/pegs/demos 4 --first 12 --out demos/pegs-trimmed\n"
    "example: steadyhand data trim runs/pegs/demos 4 --end 80 --success --in-place"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the set, the episode, the cut and the result."""
    parser.add_argument("folder", type=Path, help="a demo set")
    parser.add_argument("episode", help="its number, as `data show --episodes` shows it")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first step to keep, counted from 0")
    parser.add_argument("--end", type=int, metavar="N", help="the step after the last one to keep; default: all")
    parser.add_argument("--success", action="store_true", help="the task was done at the new last step")
    add_place(parser)


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write the set with the shortened episode."""
    check_overrides(overrides, "data trim", ())
    read_manifest(options.folder)
    known = episode_numbers(options.folder)
    chosen = chosen_numbers(options.episode, known, "data trim")
    steps = next(one.steps for one in read_log(options.folder).episodes if one.episode_id == chosen[0])
    end = steps if options.end is None else options.end
    if len(chosen) != 1 or not 0 <= options.first < end <= steps:
        raise DemoSetError(
            f"data trim: expected one episode and 0 <= --first < --end <= {steps}, its steps, "
            f"found episode {options.episode}, {options.first} and {end}"
        )
    if (options.first, end) == (0, steps) or (options.success and end == steps):
        raise DemoSetError("data trim: expected steps to cut off, with --success at the end, found none; see --help")
    number = known.index(chosen[0])

    def finish(folder: Path) -> None:
        if end == steps:
            return
        for label in episode_labels(folder, number, options.success, None, getpass.getuser()):
            append_label(folder, label)
        successes = read_log(folder).successes
        write_manifest(folder, replace(read_manifest(folder), successes=successes))

    write_result(options, [Part(options.folder, tuple(known), {chosen[0]: Cut(options.first, end)})], finish)
    if end < steps:
        outcome = "a success" if options.success else "no success"
        say(f"episode {number} now ends after {end - options.first} steps, as {outcome}")
    return 0
