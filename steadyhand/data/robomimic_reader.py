"""Reader of robomimic HDF5 files, also those of robosuite and MimicGen.

The layout is that of ARISE-Initiative/robomimic, `docs/datasets/overview.md` ("Dataset Structure") and
`robomimic/utils/dataset.py` (order of the demonstrations).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.data.foreign import ForeignDataError, ForeignEpisode, ForeignField, ForeignSet
from steadyhand.data.hdf5 import attribute_text, child, children, number_field, opened_hdf5, read_array

__all__ = ["OWN", "PREFIX", "SUCCESS", "RobomimicSet"]

PREFIX = "demo_"
OWN = "steadyhand"  # attribute with what the format has no place for
SUCCESS = "success"  # attribute of a demonstration; only this package's exporter writes it


class RobomimicSet(ForeignSet):
    """A robomimic file that is open for reading."""

    format, default_action = "robomimic HDF5", "actions"

    def __init__(self, path: Path) -> None:
        self._file = opened_hdf5(path)
        try:
            self._data = child(self._file, "data")
            names = children(self._data) if self._data is not None else []
            names = [name for name in names if name.removeprefix(PREFIX).isdecimal() and name.startswith(PREFIX)]
            if not names:
                raise ForeignDataError(f"{path}: expected demonstrations data/{PREFIX}0, ..., found none")
            self._names = sorted(names, key=lambda name: int(name.removeprefix(PREFIX)))
            first = child(self._data, self._names[0])
            self.observations = _fields(child(first, "obs"))
            self.actions = {key: one for key, one in _fields(first).items() if key.startswith("action")}
            env_args = _mapping(attribute_text(self._data, "env_args"))
            hertz = env_args.get("env_kwargs", {}).get("control_freq") if env_args else None
            self.period_s = 1.0 / hertz if isinstance(hertz, (int, float)) and hertz > 0 else None
            self.own = _mapping(attribute_text(self._data, OWN)) or None
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._names)

    def episodes(self, wanted: Sequence[str], chosen: Sequence[int]) -> Iterator[ForeignEpisode]:
        """Read demonstrations, the last observation from `next_obs` where the file has it."""
        for number in chosen:
            name = self._names[number]
            demo = child(self._data, name)
            actions = {key: read_array(demo, key) for key in self.actions}
            steps = len(next(iter(actions.values()), ()))
            obs, following = child(demo, "obs"), child(demo, "next_obs")
            if obs is None:
                raise ForeignDataError(f"{name}: expected the group obs, found none; extract the observations first")
            observations = {key: read_array(obs, key, steps) for key in wanted}
            if following is not None and steps:
                last = {key: read_array(following, key, steps)[-1:] for key in wanted}
                observations = {key: np.concatenate([seen, last[key]]) for key, seen in observations.items()}
            rewards = read_array(demo, "rewards", steps) if child(demo, "rewards") is not None else None
            dones = read_array(demo, "dones", steps) if child(demo, "dones") is not None else None
            mark = demo.attrs.get(SUCCESS)
            is_own = self.own is not None
            yield ForeignEpisode(
                name=name,
                observations=observations,
                actions=actions,
                rewards=None if rewards is None else rewards.reshape(steps),
                # `dones` of other writers may mark the end of a demonstration and not of the task.
                terminated=bool(dones[-1]) if is_own and dones is not None and steps else None,
                success=None if mark is None else bool(mark),
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _fields(group: Any) -> dict[str, ForeignField]:
    if group is None:
        return {}
    found = {name: number_field(child(group, name)) for name in children(group)}
    return {name: ForeignField(*one) for name, one in found.items() if one is not None}


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
