"""Writer of Minari data sets, stored as HDF5.

The layout is that of Farama-Foundation/Minari, `minari/dataset/_storages/hdf5_storage.py`, `minari/serialization.py`
(spaces) and `minari/dataset/minari_storage.py` (`metadata.json`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.minari_reader import MAIN, METADATA, OWN
from steadyhand.data.outgoing import Outgoing, OutgoingEpisode
from steadyhand.transport.schema import FieldSpec

__all__ = ["write_minari"]

VERSION = "0.5.4"  # of Minari, whose layout this is
UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


def write_minari(outgoing: Outgoing, folder: Path, name: str) -> list[str]:
    """Write the episodes as a Minari data set; nothing is lost.

    Args:
        outgoing: The episodes.
        folder: New folder of the data set; `MINARI_DATASETS_PATH` is the one above `<name>`.
        name: Name of the data set, for its id `<name>-v0`.

    Returns:
        Notes on what the format does not keep.
    """
    import h5py

    data = folder / "data"
    data.mkdir(parents=True)
    steps = 0
    with h5py.File(data / MAIN, "w", track_order=True) as file:
        for number, episode in enumerate(outgoing.episodes()):
            _write_episode(file.create_group(f"episode_{number}"), number, episode)
            steps += len(episode)
    spaces = {outgoing.names[one.name]: _box(one) for one in outgoing.schema.observation}
    identifier = UNSAFE.sub("-", name).strip("-") or "steadyhand"
    facts = {
        "dataset_id": f"{identifier}-v0",
        "minari_version": VERSION,
        "total_episodes": len(outgoing.chosen),
        "total_steps": steps,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "dataset_size": round((data / MAIN).stat().st_size / 1e6, 1),
        "observation_space": json.dumps({"type": "Dict", "subspaces": spaces}),
        "action_space": json.dumps(_box(outgoing.schema.action)),
        OWN: outgoing.own,
    }
    (data / METADATA).write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
    return []


def _write_episode(group: Any, number: int, episode: OutgoingEpisode) -> None:
    group.attrs["id"], group.attrs["total_steps"] = number, len(episode)
    observations = group.create_group("observations")
    for name, values in episode.observations.items():
        observations.create_dataset(name, data=values, chunks=True, maxshape=(None, *values.shape[1:]))
    columns: dict[str, NDArray[Any]] = {
        "actions": episode.actions,
        "rewards": episode.rewards.astype(np.float64),
        "terminations": episode.terminated,
        "truncations": episode.truncated,
    }
    for name, values in columns.items():
        group.create_dataset(name, data=values, chunks=True, maxshape=(None, *values.shape[1:]))
    # An info for the reset and one for each step.
    success = np.zeros(len(episode) + 1, np.bool_)
    success[-1] = episode.success
    infos = group.create_group("infos")
    infos.create_dataset("success", data=success)
    infos.create_dataset("is_intervention", data=np.concatenate([[False], episode.interventions]))


def _box(one: FieldSpec) -> dict[str, Any]:
    """Return a Box; an infinite bound is written as Python's json does."""
    low, high = (np.full(one.shape, bound, np.float64).tolist() for bound in (one.low, one.high))
    if one.is_image:
        low, high = (np.full(one.shape, bound, np.int64).tolist() for bound in (0, 255))
    return {"type": "Box", "dtype": one.dtype, "shape": list(one.shape), "low": low, "high": high}
