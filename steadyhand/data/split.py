"""Split a demo set in two new ones by whole episodes, for example for training and validation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from steadyhand.data.choice import chosen_numbers
from steadyhand.data.rewrite import Part, episode_numbers, rewrite
from steadyhand.data.staging import staged
from steadyhand.settings import check_overrides
from steadyhand.terminal import say
from steadyhand.transport.demo_set import DemoSetError, read_manifest

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "example: steadyhand data split runs/pegs/demos demos/train demos/validation --share 0.8 --seed 0\n"
    "example: steadyhand data split runs/pegs/demos demos/first demos/rest --episodes 0-9"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the set, both results and the choice."""
    parser.add_argument("folder", type=Path, help="a demo set")
    parser.add_argument("first", type=Path, help="folder of the first new set")
    parser.add_argument("second", type=Path, help="folder of the second new set")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--share", type=float, help="share of the episodes in the first set, chosen by chance")
    how.add_argument("--episodes", metavar="N,N-N", help="the episodes of the first set")
    parser.add_argument("--seed", type=int, default=0, help="fixes the choice by --share")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write both sets, or none."""
    check_overrides(overrides, "data split", ())
    read_manifest(options.folder)
    known = episode_numbers(options.folder)
    if options.episodes:
        chosen = set(chosen_numbers(options.episodes, known, "--episodes"))
    else:
        chosen = _by_chance(known, options.share, options.seed)
    sides = [tuple(one for one in known if (one in chosen) is inside) for inside in (True, False)]
    if not all(sides):
        raise DemoSetError(
            f"{options.folder}: expected an episode on both sides, found {len(sides[0])} of {len(known)}"
        )
    if options.first.resolve() == options.second.resolve():
        raise DemoSetError(f"data split: expected two folders, found {options.first} twice")
    with staged(options.first) as one, staged(options.second) as other:
        manifests = [
            rewrite([Part(options.folder, side, {})], place) for side, place in zip(sides, (one, other), strict=True)
        ]
    for manifest, out in zip(manifests, (options.first, options.second), strict=True):
        say(f"{manifest.episodes} episodes, {manifest.successes} successes, {manifest.steps} steps: {out}")
    return 0


def _by_chance(known: list[int], share: float, seed: int) -> set[int]:
    if not 0.0 < share < 1.0:
        raise DemoSetError(f"--share: expected a number between 0 and 1, found {share:g}")
    count = min(max(round(share * len(known)), 1), max(len(known) - 1, 1))
    return set(np.random.default_rng(seed).permutation(known)[:count].tolist())
