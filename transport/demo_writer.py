"""Writer of a demo set from arrays, for demonstrations that were recorded elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.demo_set import DemoManifest, DemoSetError, is_demo_set, write_manifest
from steadyhand.transport.label_log import append_label, failure_label
from steadyhand.transport.log_writer import LogWriter
from steadyhand.transport.record import OBSERVATION, Kind, Phase, record_dtype
from steadyhand.transport.schema import Schema

__all__ = ["DemoSetWriter"]

NO_POLICY = -1
SEGMENT_BYTES = 1 << 26


class DemoSetWriter:
    """A new demo set in a folder. It is a context manager, and its end completes the set.

    Args:
        folder: Folder of the new set; it must not hold a demo set.
        schema: Schema of a step, as `actor.env_schema.env_schema` returns it for the environment.
        task: The task's resolved configuration, `compose([...])["task"]`; later uses of the set are checked against it.
        expert: The person or the scripted expert that demonstrated.

    Raises:
        DemoSetError: The folder holds a demo set already.
    """

    def __init__(self, folder: Path, schema: Schema, task: dict[str, Any], expert: str) -> None:
        if is_demo_set(folder):
            raise DemoSetError(f"{folder}: expected a folder without a demo set, found one; choose another folder")
        self._folder, self._schema = folder, schema
        session_id = secrets.token_hex(16)
        self._writer = LogWriter(folder, schema, "imported", session_id, SEGMENT_BYTES)
        date = utc_text(wall_time_ns())
        self._manifest = DemoManifest(schema, 0, 0, 0, task, "imported", session_id, date, expert, ())

    def add_episode(
        self,
        observations: Mapping[str, ArrayLike],
        actions: ArrayLike,
        rewards: ArrayLike,
        terminated: bool,
        success: bool = True,
    ) -> None:
        """Append one episode of T steps.

        Args:
            observations: Arrays (T + 1, ...) by the schema's names: before every step, and after the last one.
            actions: Actions (T, A), normalised to [-1, 1].
            rewards: Reward of each step, (T,).
            terminated: Whether the last step ended the task; False when the episode was cut off by its time limit.
            success: Whether the task succeeded. A failure gets a label, so that it is learnt from and not imitated.

        Raises:
            DemoSetError: A field is missing, has another shape, or is not finite; nothing was written.
        """
        action = self._checked("actions", actions, (-1, *self._schema.action.shape), 1.0)
        steps = len(action)
        reward = self._checked("rewards", rewards, (steps,))
        seen = {
            field.name: self._checked(
                f"observations[{field.name!r}]", self._part(observations, field.name), (steps + 1, *field.shape)
            )
            for field in self._schema.observation
        }
        if not steps:
            raise DemoSetError("actions: expected at least one step, found none; leave the episode out")
        if not success:  # the label comes first, so that no record exists without it
            m, first = self._manifest, self._writer.next_seq
            append_label(self._folder, failure_label(m.session_id, first, first + steps + 1, m.expert))
        row = np.zeros((), record_dtype(self._schema))
        period_ns = round(self._schema.control_period_s * 1e9)
        row["episode_id"], row["phase"], row["valid"] = self._manifest.episodes, Phase.DEMO, True
        row["policy_version"] = NO_POLICY
        for step in range(steps + 1):
            last = step == steps
            row["step_index"], row["stamp_ns"], row["kind"] = step, step * period_ns, Kind.FINAL if last else Kind.STEP
            row["has_human"] = not last
            row["action"] = row["human_action"] = 0.0 if last else action[step]
            row["reward"] = 0.0 if last else reward[step]
            at_end = step == steps - 1
            row["terminated"], row["truncated"] = at_end and terminated, at_end and not terminated
            row["success"] = at_end and success
            for name, values in seen.items():
                row[OBSERVATION + name] = values[step]
            self._writer.append(row)
        m = self._manifest
        self._manifest = replace(
            m, episodes=m.episodes + 1, successes=m.successes + bool(success), steps=m.steps + steps
        )

    def close(self) -> None:
        """Complete the set: close the log, then write the manifest."""
        self._writer.close()
        write_manifest(self._folder, self._manifest)

    def __enter__(self) -> DemoSetWriter:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the set; after an exception it stays without a manifest."""
        if kind is None:
            self.close()
        else:
            self._writer.close()

    @staticmethod
    def _part(observations: Mapping[str, ArrayLike], name: str) -> ArrayLike:
        if name not in observations:
            raise DemoSetError(f"observations: expected {name!r}, found only {', '.join(map(str, observations))}")
        return observations[name]

    @staticmethod
    def _checked(name: str, values: ArrayLike, shape: tuple[int, ...], most: float = np.inf) -> NDArray[Any]:
        array = np.asarray(values)
        fits = array.ndim == len(shape) and all(
            want in (-1, size) for want, size in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype.kind not in "biuf":
            shown = ", ".join("T" if size == -1 else str(size) for size in shape)
            raise DemoSetError(f"{name}: expected numbers of shape ({shown}), found {array.shape} {array.dtype}")
        if not (np.abs(array) <= most).all() or not np.isfinite(array).all():
            limit = "finite numbers" if most == np.inf else f"numbers within [-{most:g}, {most:g}]"
            raise DemoSetError(f"{name}: expected {limit}, found others; scale or mend them first")
        return array
