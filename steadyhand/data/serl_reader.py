"""Reader of SERL and HIL-SERL pickles of transitions, by a child process under limits.

The files are those of rail-berkeley/hil-serl, `examples/record_demos.py`, and the buffers of `examples/train_rlpd.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from safetensors import SafetensorError
from safetensors.numpy import load_file

from steadyhand.data.foreign import ForeignDataError, ForeignEpisode, ForeignField, ForeignSet
from steadyhand.data.transitions_child import EPISODE, INDEX, REFUSED, EpisodeFacts
from steadyhand.runtime.logging import escaped
from steadyhand.runtime.provenance import SOURCE

__all__ = ["SerlSet"]

MOST_FILE_BYTES = 4 << 30
LIMIT_S = 900.0
OBSERVATIONS = "observations/"


class SerlSet(ForeignSet):
    """The episodes of a pickle. The pickle is read once, in a child; its arrays wait in a temporary folder."""

    format, default_action = "SERL transitions", "actions"
    gripper = "press"

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise ForeignDataError(f"{path}: expected at most {MOST_FILE_BYTES >> 30} GiB, found more; split it")
        self._folder = tempfile.TemporaryDirectory(prefix="steadyhand-import-")
        try:
            _convert(path, Path(self._folder.name))
            self._facts = msgspec.json.decode(self._file(INDEX).read_bytes(), type=list[EpisodeFacts])
            first = load_file(self._file(EPISODE.format(0)))
        except (OSError, SafetensorError, msgspec.MsgspecError) as error:
            self.close()
            raise ForeignDataError(f"{path}: expected transitions, found {escaped(str(error), 100)}") from None
        except BaseException:
            self.close()
            raise
        fields = {key: ForeignField(array.shape[1:], str(array.dtype)) for key, array in first.items()}
        self.actions = {"actions": fields["actions"]}
        self.observations = {
            key.removeprefix(OBSERVATIONS): one for key, one in fields.items() if key.startswith(OBSERVATIONS)
        }

    def __len__(self) -> int:
        return len(self._facts)

    def episodes(self, wanted: Sequence[str], chosen: Sequence[int]) -> Iterator[ForeignEpisode]:
        """Read episodes; each has the observation after its last step."""
        for number in chosen:
            arrays = load_file(self._file(EPISODE.format(number)))
            missing = [key for key in wanted if OBSERVATIONS + key not in arrays]
            if missing:
                raise ForeignDataError(f"episode {number}: expected the observation {missing[0]}, found none")
            facts = self._facts[number]
            yield ForeignEpisode(
                name=f"episode {number}",
                observations={key: arrays[OBSERVATIONS + key] for key in wanted},
                actions={"actions": arrays["actions"]},
                rewards=arrays["rewards"],
                terminated=facts.terminated,
                success=facts.success,
            )

    def close(self) -> None:
        """Remove the temporary folder."""
        self._folder.cleanup()

    def _file(self, name: str) -> Path:
        return Path(self._folder.name) / name


def _convert(path: Path, folder: Path) -> None:
    """Run the child, and turn its end into one line."""
    command = [sys.executable, "-m", "steadyhand.data.transitions_child", str(path.resolve()), str(folder)]
    searched = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
    try:
        done = subprocess.run(  # noqa: S603  our own module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            env={**os.environ, "PYTHONPATH": searched},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ForeignDataError(f"{path}: expected transitions within {LIMIT_S:g} s, found a longer file") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        why = lines[-1] if lines and done.returncode == REFUSED else f"a reader that ended with {done.returncode}"
        raise ForeignDataError(f"{path}: {escaped(why, 300)}")
