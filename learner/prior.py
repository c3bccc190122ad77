"""Prior data of a run beside its own demonstrations: online records of other runs, and the weights of one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.checkpoint import Checkpoint
from steadyhand.learner.resume import STATE_FILE
from steadyhand.policies import PolicySpec
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.run_identity import UNKNOWN, Identity, read_identity

__all__ = ["EarlierData", "PriorData", "PriorDataError", "check_sessions", "compatible_spec", "joined", "take_weights"]

POLICY = "policy/"
NO_WEIGHTS = ("optimizer/", POLICY)
# Compared separately, or no part of the weights' shapes: initial values, exploration, and what is known of the records.
FREE = ("inputs", "normaliser", "log_std_start", "decision_epsilon", "gripper_entries")

logger = get_logger("learner.prior")


class PriorDataError(ValueError):
    """Data or weights of another run that this one cannot start from."""


@dataclass(frozen=True)
class EarlierData:
    """Records of one earlier run that this run starts from.

    Attributes:
        demos: Its demo sets.
        logs: Its practice logs. They are sampled beside the demonstrations, as those of other runs are.
        demo_share: Share of its demonstrations and corrections in the rows of demonstrations, 0..1.
    """

    demos: tuple[Path, ...] = ()
    logs: tuple[Path, ...] = ()
    demo_share: float = 0.0


@dataclass(frozen=True)
class PriorData:
    """Prior data of a run, and the run's identity.

    Attributes:
        logs: Online log folders of other runs, one per session. They are sampled beside the demonstrations.
        checkpoint: Checkpoint of another run; its weights are taken while this run has no checkpoint of its own.
        identity: The run, its task and its robot as far as they are known.
        earlier: Records of the run that gives the checkpoint, or could give one.
    """

    logs: tuple[Path, ...] = ()
    checkpoint: Checkpoint | None = None
    identity: Identity = field(default=UNKNOWN)
    earlier: EarlierData = field(default=EarlierData())


def check_sessions(readers: Iterable[LogReader], own: Iterable[LogReader]) -> None:
    """Refuse a log that is listed twice, or that is the run's own.

    Raises:
        PriorDataError: There is such a log.
    """
    seen = {reader.session_id: reader.folder for reader in own}
    for reader in readers:
        if reader.session_id in seen:
            raise PriorDataError(
                f"{reader.folder}: expected another session than the one in {seen[reader.session_id]}, found the same "
                "one; give each log once, and none of this run's own practice"
            )
        seen[reader.session_id] = reader.folder


def joined(prior: PriorData, readers: Iterable[LogReader], accept_other_robot: bool) -> Identity:
    """Return the identity of the run, with the robot that its data were recorded on.

    Args:
        prior: Prior data of the run.
        readers: Readers of demonstrations and of other runs' online logs.
        accept_other_robot: Whether another robot is only a warning.

    Raises:
        PriorDataError: Data or weights are of another robot.
        IdentityError: An identity cannot be read.
    """
    found = [(reader.folder, read_identity(reader.folder)) for reader in readers]
    if prior.checkpoint is not None:
        # Weights may come from another task, as long as they fit.
        robot = Identity.from_json(prior.checkpoint.facts.get("identity", {}))
        found.append((prior.checkpoint.folder, _of_task(robot, prior.identity.task)))
    own = prior.identity
    for where, identity in found:
        if line := own.task_difference(identity):
            raise PriorDataError(f"{where}: recorded for another task ({line}); leave it out, or choose its task")
        line = own.robot_difference(identity)
        if line and not accept_other_robot:
            raise PriorDataError(
                f"{where}: recorded on another robot ({line}); leave it out, or give learner.accept_other_robot=true"
            )
        if line:
            logger.warning("%s: recorded on another robot (%s); used, as learner.accept_other_robot says", where, line)
        own = own.filled(identity)
    return own


def _of_task(identity: Identity, task: str) -> Identity:
    """Return the robot of an identity, with another task."""
    return Identity(task=task).filled(identity)


def compatible_spec(own: PolicySpec, other: PolicySpec, where: Path) -> PolicySpec:
    """Return the policy's specification with the input scaling that the weights of another run were trained with.

    Args:
        own: The specification from this run's configuration and data.
        other: Specification of the weights.
        where: Name of the weights, for the error.

    Raises:
        PriorDataError: Weights of `other` do not fit into a policy of `own`.
    """
    inputs = [[(item.key, item.shape, item.dtype) for item in spec.inputs] for spec in (own, other)]
    lines = [] if inputs[0] == inputs[1] else [f"inputs {_text(inputs[0])}, found {_text(inputs[1])}"]
    for name in (one.name for one in fields(PolicySpec) if one.name not in FREE):
        expected, found = getattr(own, name), getattr(other, name)
        if expected != found:
            lines.append(f"{name}={_text(expected)}, found {_text(found)}")
    if lines:
        raise PriorDataError(
            f"{where}: expected weights of a policy with {'; '.join(lines)}; choose its policy=..., or start without it"
        )
    return replace(own, normaliser=other.normaliser)


def take_weights(algo: Algorithm[Any], checkpoint: Checkpoint) -> None:
    """Load the policy's and critics' weights of another run into an algorithm; moments and noise start anew.

    Tensors that the other run's algorithm lacks, or has in another shape, stay unchanged and are logged in one line.

    Raises:
        PriorDataError: The policy's weights do not fit.
    """
    found = safetensors.torch.load(checkpoint.files[STATE_FILE])
    own = algo.state_tensors()
    parts: dict[str, list[str]] = {}
    for name in own:
        if name.startswith(POLICY) or ("/" in name and not name.startswith(NO_WEIGHTS)):
            parts.setdefault(name.partition("/")[0], []).append(name)
    fresh = []
    for part, names in parts.items():
        sources = {name: _source(found, name) for name in names}
        misfits = [_misfit(name, own[name], source) for name, source in sources.items() if not _fits(own[name], source)]
        if misfits and f"{part}/" == POLICY:
            raise PriorDataError(f"{checkpoint.folder}: {misfits[0]}; choose the policy and encoder of that run")
        if misfits:
            fresh.append(f"{part} ({misfits[0]})")
            continue
        with torch.no_grad():
            for name, source in sources.items():
                assert source is not None
                own[name].copy_(source)
    algo.start_from_weights()
    taken = ", ".join(part for part in parts if not any(line.startswith(f"{part} ") for line in fresh))
    logger.info("started from %s: took over %s", checkpoint.folder, taken)
    if fresh:
        logger.warning("%s: these weights do not fit and start anew: %s", checkpoint.folder, "; ".join(fresh))


def _source(found: dict[str, Tensor], name: str) -> Tensor | None:
    """Return the tensor of that name; a missing copy of the policy is taken from the other run's policy."""
    return found.get(name, found.get(POLICY + name.partition("/")[2]) if name.startswith("published/") else None)


def _fits(own: Tensor, source: Tensor | None) -> bool:
    return source is not None and own.shape == source.shape


def _misfit(name: str, own: Tensor, source: Tensor | None) -> str:
    shape = "none" if source is None else _text(tuple(source.shape))
    return f"{name}: expected {_text(tuple(own.shape))}, found {shape}"


def _text(value: object) -> str:
    return str(list(value) if isinstance(value, tuple) else value)
