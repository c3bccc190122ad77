"""Make a demo set of another package's data set. Nothing of the source is changed, and no pickle is run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from steadyhand.data.choice import chosen_numbers
from steadyhand.data.conversion import Converted, convert
from steadyhand.data.foreign import ForeignDataError, ForeignSet
from steadyhand.data.formats import opened_foreign
from steadyhand.data.gripper_presses import GripperMeaning, GripperStart
from steadyhand.data.mapping import Choices, Plan, Rewards, Success, plan_import, read_choices
from steadyhand.data.quality import read_quality
from steadyhand.data.set_warnings import warning_lines
from steadyhand.data.staging import staged
from steadyhand.data.target import Target, find_target
from steadyhand.runtime.logging import quoted
from steadyhand.terminal import say, table_text
from steadyhand.transport.demo_writer import DemoSetWriter

__all__ = ["EPILOG", "add_options", "import_episodes", "run"]

EPILOG = (
    "The task is given by the overrides, as for `learn`, or by --like. Columns are found by name; others are named\n"
    "with --observation, or in a file: --map map.yaml (docs/data.md).\n"
    "example: steadyhand data import pusht demos/pusht --observation state=observation.state \\\n"
    "           --action-range 0 512 --success reward task=gym task.entry_point=my_package.envs:make_env\n"
    "example: steadyhand data import low_dim.hdf5 demos/lift --like demos/mine --success all"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for source and target, and the mapping."""
    parser.add_argument("source", type=Path, help="a LeRobot or Minari folder, a robomimic file, or SERL transitions")
    parser.add_argument("out", type=Path, help="folder of the new demo set")
    parser.add_argument("--like", type=Path, metavar="DEMOS", help="take task and schema of this demo set")
    parser.add_argument(
        "--map", type=Path, metavar="FILE", help="the choices below in a YAML file; options override it"
    )
    parser.add_argument(
        "--observation",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="column of a field, or a part of it: pose=observation.state[0:7]",
    )
    parser.add_argument("--action", metavar="COLUMN", help="column of the action, or a part of it")
    parser.add_argument(
        "--action-range",
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="values that become -1 and 1: a number, or one for each axis, separated by commas",
    )
    parser.add_argument("--success", choices=get_args(Success), help="which episodes succeeded; default: marked")
    parser.add_argument("--rewards", choices=get_args(Rewards), help="sparse: 1 at a success's last step, else 0")
    parser.add_argument("--resize", action="store_true", default=None, help="scale pictures of another size")
    parser.add_argument("--any-period", action="store_true", default=None, help="accept another control period")
    parser.add_argument(
        "--gripper", choices=get_args(GripperMeaning), help="gripper entries: presses, or states; default: the format's"
    )
    parser.add_argument(
        "--gripper-start",
        choices=get_args(GripperStart),
        help="the gripper before an episode's first press; default: inferred",
    )
    parser.add_argument("--episodes", metavar="N,N-N", help="only these, counted from 0")
    parser.add_argument("--expert", default="", help="name of the demonstrator; default: the format's name")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Import, and print the mapping, the result and what would harm training."""
    choices = _choices(options)
    with opened_foreign(options.source) as source:
        target = find_target(overrides, options.like, source.own)
        plan = plan_import(source, target.schema, choices)
        numbers = range(len(source))
        chosen = chosen_numbers(options.episodes, numbers, "--episodes") if options.episodes else list(numbers)
        say(f"{options.source}: {source.format}, {len(source)} episodes, for {target.origin}")
        say(table_text(("field", "shape", "column", "shape there"), plan.rows(source)))
        with staged(options.out) as place:
            successes, steps, notes = import_episodes(source, chosen, plan, target, place, options.expert)
    if source.period_s is None:
        notes.append(f"the set does not say its period; {target.schema.control_period_s:g} s of the task is assumed")
    for note in notes:
        say(f"note: {note}")
    say(f"{len(chosen)} episodes, {successes} successes, {steps} steps: {options.out}")
    for line in warning_lines(read_quality(options.out)):
        say(f"warning: {line}")
    return 0


def import_episodes(
    source: ForeignSet, chosen: Sequence[int], plan: Plan, target: Target, folder: Path, expert: str = ""
) -> tuple[int, int, list[str]]:
    """Write episodes of a foreign set into a new demo set.

    Args:
        source: The set.
        chosen: Numbers of its episodes.
        plan: Where each field comes from.
        target: The task of the demo set.
        folder: Folder of the demo set.
        expert: Name of the demonstrator; "" = the format's name.

    Returns:
        The successes, the steps, and notes on what the set did not have.

    Raises:
        ForeignDataError: There is no episode, or one does not fit.
    """
    if not chosen:
        raise ForeignDataError("import: expected at least one episode, found none")
    successes, steps = 0, 0
    repeated, made = False, False
    with DemoSetWriter(folder, target.schema, target.task, expert or source.format) as writer:
        for episode in source.episodes(plan.wanted, chosen):
            one: Converted = convert(episode, plan)
            writer.add_episode(one.observations, one.actions, one.rewards, one.terminated, one.success)
            successes, steps = successes + one.success, steps + len(one.actions)
            repeated, made = repeated or one.repeated_last, made or one.made_rewards
    notes = []
    if repeated:
        notes.append("the set has no observation after the last step; the last one is repeated")
    if plan.presses:
        notes.append("gripper: presses became the wanted state, which counts until the opposite press (--gripper)")
    if made:
        notes.append("rewards: 1 at the last step of a success, else 0")
    return successes, steps, notes


def _choices(options: argparse.Namespace) -> Choices:
    """Return the choices of the file, with those of the options in front."""
    base = read_choices(options.map) if options.map else Choices()
    given: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("action", "success", "rewards", "resize", "any_period", "gripper", "gripper_start")
        if getattr(options, name) is not None
    }
    if options.action_range:
        given["action_low"], given["action_high"] = (_numbers(text) for text in options.action_range)
    named = dict(base.observations)
    for text in options.observation:
        field, equals, column = text.partition("=")
        if not equals or not field or not column:
            raise ForeignDataError(f"--observation: expected FIELD=COLUMN, found {quoted(text)}")
        named[field] = column
    return msgspec.structs.replace(base, observations=named, **given)


def _numbers(text: str) -> float | tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ForeignDataError(f"--action-range: expected numbers separated by commas, found {quoted(text)}") from None
    return found[0] if len(found) == 1 else found
