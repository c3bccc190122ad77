"""Writer of robomimic HDF5 files.

The layout is that of ARISE-Initiative/robomimic, `docs/datasets/overview.md` ("Dataset Structure").
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.data.outgoing import Outgoing, OutgoingEpisode
from steadyhand.data.robomimic_reader import OWN, PREFIX, SUCCESS

__all__ = ["write_robomimic"]

GYM = 2  # robomimic's number of gymnasium environments, `EnvType.GYM_TYPE` in robomimic/envs/env_base.py
COMPRESSION = "gzip"


def write_robomimic(outgoing: Outgoing, path: Path) -> list[str]:
    """Write the episodes as one robomimic file; nothing is lost.

    Returns:
        Notes on what the format does not keep.
    """
    import h5py

    task = outgoing.own["task"]
    env_args = {
        "env_name": str(task.get("name") or task.get("entry_point") or "steadyhand"),
        "env_type": GYM,
        "env_kwargs": {"control_freq": 1.0 / outgoing.schema.control_period_s},
    }
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        total = 0
        for number, episode in enumerate(outgoing.episodes()):
            _write_demo(data.create_group(f"{PREFIX}{number}"), episode, outgoing)
            total += len(episode)
        data.attrs["total"] = total
        data.attrs["env_args"] = json.dumps(env_args)
        data.attrs[OWN] = json.dumps(outgoing.own, allow_nan=False)
    return []


def _write_demo(demo: Any, episode: OutgoingEpisode, outgoing: Outgoing) -> None:
    steps = len(episode)
    demo.attrs["num_samples"] = steps
    demo.attrs[SUCCESS] = episode.success
    demo.create_dataset("actions", data=episode.actions)
    demo.create_dataset("rewards", data=episode.rewards)
    demo.create_dataset("dones", data=episode.terminated.astype(np.int64))
    demo.create_dataset("states", data=np.zeros((steps, 1), np.float32))  # of a simulator that was not recorded
    demo.create_dataset("interventions", data=episode.interventions)
    for group, first in (("obs", 0), ("next_obs", 1)):
        obs = demo.create_group(group)
        for name, values in episode.observations.items():
            packed = COMPRESSION if outgoing.field(name).is_image else None
            obs.create_dataset(name, data=values[first : first + steps], compression=packed)
