"""Child process that turns a pickle of transitions into safetensors files, under limits of memory and time."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from steadyhand.data.foreign import ForeignDataError
from steadyhand.data.pickle_values import pickle_values
from steadyhand.runtime.logging import quoted

__all__ = ["EPISODE", "INDEX", "REFUSED", "EpisodeFacts", "episodes_of", "main"]

MEMORY_BYTES = 8 << 30
CPU_S = 600
INDEX, EPISODE = "index.json", "episode-{:06d}.safetensors"
OBSERVATION, ACTION = "observations", "actions"
NEEDED = (OBSERVATION, ACTION, "next_observations", "rewards", "masks", "dones")
SUCCESS = ("succeed", "success", "is_success")
REFUSED = 3  # exit status; the reason is on standard error


class EpisodeFacts(msgspec.Struct):
    """The facts of one episode that are no arrays. `success` is None where no transition says so."""

    terminated: bool
    success: bool | None


def main() -> int:
    """Read the pickle of the first argument, and write its episodes into the folder of the second one."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        facts = []
        for number, (arrays, one) in enumerate(episodes_of(pickle_values(source.read_bytes()))):
            save_file(arrays, folder / EPISODE.format(number))
            facts.append(one)
        (folder / INDEX).write_bytes(msgspec.json.encode(facts))
    except ForeignDataError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except MemoryError:
        sys.stderr.write(f"pickle: expected at most {MEMORY_BYTES >> 30} GiB of memory, found more needed\n")
        return REFUSED
    return 0


def episodes_of(transitions: Any) -> list[tuple[dict[str, NDArray[Any]], EpisodeFacts]]:
    """Return the episodes of a list of transitions: arrays by `observations/...`, `actions` and `rewards`, and facts.

    An episode ends at a transition that is done, or whose next observation is not that of the transition after it.
    The keys are those of rail-berkeley/hil-serl, `examples/record_demos.py`.

    Raises:
        ForeignDataError: These are no transitions.
    """
    if not isinstance(transitions, list) or not transitions:
        raise ForeignDataError("pickle: expected a list of transitions, found something else")
    for index, one in enumerate(transitions):
        missing = [key for key in NEEDED if not isinstance(one, dict) or key not in one]
        if missing:
            raise ForeignDataError(f"transition {index}: expected {', '.join(NEEDED)}, found no {missing[0]}")
    flat = [(_flat(one[OBSERVATION]), _flat(one["next_observations"])) for one in transitions]
    found, start = [], 0
    for index, one in enumerate(transitions):
        is_last = index == len(transitions) - 1
        if is_last or bool(np.all(one["dones"])) or not _same(flat[index][1], flat[index + 1][0]):
            found.append(_episode(transitions[start : index + 1], flat[start : index + 1], start))
            start = index + 1
    return found


def _episode(
    transitions: list[Any], flat: list[tuple[dict[str, Any], dict[str, Any]]], start: int
) -> tuple[dict[str, NDArray[Any]], EpisodeFacts]:
    keys = set(flat[0][0])
    where = f"transitions {start} to {start + len(transitions) - 1}"
    if any(set(now) != keys or set(then) != keys for now, then in flat):
        raise ForeignDataError(f"{where}: expected the same observations in each, found others")
    try:
        arrays = {f"{OBSERVATION}/{key}": np.stack([now[key] for now, _ in flat] + [flat[-1][1][key]]) for key in keys}
        arrays[ACTION] = np.stack([np.asarray(one[ACTION]) for one in transitions])
        arrays["rewards"] = np.array([float(np.asarray(one["rewards"]).reshape(())) for one in transitions])
        is_numbers = all(array.dtype.kind in "biuf" for array in arrays.values())
    except (ValueError, TypeError) as error:
        raise ForeignDataError(f"{where}: expected arrays of one shape, found {quoted(str(error), 80)}") from None
    if not is_numbers:
        raise ForeignDataError(f"{where}: expected arrays of numbers, found others")
    marks = [
        bool(np.all(infos[name]))
        for one in transitions
        if isinstance(infos := one.get("infos"), dict)
        for name in SUCCESS
        if name in infos
    ]
    terminated = not bool(np.any(transitions[-1]["masks"]))
    native = {key: np.ascontiguousarray(array, array.dtype.newbyteorder("=")) for key, array in arrays.items()}
    return native, EpisodeFacts(terminated, any(marks) if marks else None)


def _flat(value: Any, path: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays of an observation by `outer/inner`; a bare array is called `state`."""
    if isinstance(value, dict):
        found: dict[str, NDArray[Any]] = {}
        for key, item in value.items():
            found |= _flat(item, f"{path}/{key}" if path else str(key))
        return found
    return {path or "state": np.asarray(value)}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


if __name__ == "__main__":
    sys.exit(main())
