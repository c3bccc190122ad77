"""The task and the schema that imported episodes get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.actor.env_schema import env_schema
from steadyhand.data.foreign import ForeignDataError
from steadyhand.pipeline.environment import opened_env
from steadyhand.runtime.logging import quoted
from steadyhand.settings import compose_settings
from steadyhand.transport.demo_set import read_manifest
from steadyhand.transport.schema import Schema, SchemaError

__all__ = ["Target", "find_target"]


@dataclass(frozen=True)
class Target:
    """The schema of a step, and the task's resolved configuration; `origin` says where they come from."""

    schema: Schema
    task: dict[str, Any]
    origin: str


def find_target(overrides: Sequence[str], like: Path | None, own: Mapping[str, Any] | None) -> Target:
    """Return the target: that of the overrides, of another demo set, or the one that an export has kept.

    Args:
        overrides: As for `learn`; the environment is made once, for its schema.
        like: A demo set to take both from.
        own: Manifest of a set that this package exported.

    Raises:
        ForeignDataError: None of the three is given, or two of them.
        DemoSetError: `like` is no demo set.
        ConfigError: An override is wrong.
    """
    if overrides and like is not None:
        raise ForeignDataError(f"import: expected a task or --like, found both: {quoted(overrides[0])} and {like}")
    if like is not None:
        manifest = read_manifest(like)
        return Target(manifest.schema, manifest.task, str(like))
    if overrides:
        settings = compose_settings(overrides)
        with opened_env(settings, 0) as env:
            return Target(env_schema(env), dict(settings.composed["task"]), "the task of the overrides")
    if own is None:
        raise ForeignDataError(
            "import: expected the task that the episodes are for, found none; give task=... as for `learn`, "
            "or --like DEMOS"
        )
    try:
        task = own["task"]
        if not isinstance(task, dict):
            raise TypeError("no task")
        return Target(Schema.from_json(own["schema"]), task, "the set itself, an export of Steadyhand")
    except (KeyError, TypeError, SchemaError) as error:
        raise ForeignDataError(f"import: expected the task of an export, found {quoted(str(error), 120)}") from None
