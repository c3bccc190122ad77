"""Good files of every kind that the product opens, and what opens them. A change of their bytes is drawn by a seed."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import yaml

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.cli import main
from steadyhand.data.formats import opened_foreign
from steadyhand.learner.checkpoint import CheckpointFolder, read_checkpoint
from steadyhand.learner.journal import Journal
from steadyhand.learner.resume import next_epoch
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policy_file import load_policy, save_policy
from steadyhand.runtime.calibration_file import read_calibration, write_calibration
from steadyhand.runtime.config import compose, use_config_dir
from steadyhand.runtime.onnx_file import sealed
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.ack_file import unacknowledged
from steadyhand.transport.demo_set import read_manifest
from steadyhand.transport.label_log import LabelReader, append_label, failure_label
from steadyhand.transport.log import LogReader
from steadyhand.transport.log_account import account
from steadyhand.transport.recovery import recover
from steadyhand.transport.run_identity import Identity, read_identity, write_identity
from tests.transport_kit import log_of, session_id, writer_in
from tests.unit.actor.exported import walking_file, walking_policy
from tests.unit.steadyhand.data.data_kit import write_set

NUMBERS = (b"\xff" * 4, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\0" * 8, b"\0\0\0\x80", b"\xff\xff\xff\x7f")
WORDS = (b"null", b"-1", b"1e999", b"NaN", b"9223372036854775808", b'"\\u001b[31m"', b"[[[[[[[[", b"{}", b"true", b"''")
WORDS += (b"[" * 4000, b"&a [*a, *a]", b"!!python/object:os.system x", b"\xff\xfe", b"../../x", b'""', b"0")


def mutated(raw: bytes, draw: random.Random, text: bool) -> bytes:
    """Return other bytes than `raw`: flipped, overwritten, cut, doubled; in a text also whole words."""
    data = bytearray(raw)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        place = draw.randrange(len(data) + 1)
        kind = draw.choice(("flip", "flip", "number", "cut", "delete", "double", "word" if text else "head"))
        if kind == "flip" and place < len(data):
            data[place] ^= 1 << draw.randrange(8)
        elif kind == "number":
            value = draw.choice(NUMBERS)
            data[place : place + len(value)] = value
        elif kind == "cut" and draw.random() < 0.3:
            del data[place:]
        elif kind == "delete":
            del data[place : place + draw.randrange(1, 64)]
        elif kind == "double":
            data[place:place] = data[place : place + draw.randrange(1, 64)]
        elif kind == "head":  # where binary files say what follows
            place = draw.randrange(min(len(data), 256) or 1)
            data[place : place + 1] = bytes([draw.randrange(256)])
        elif kind == "word":
            found = list(re.finditer(rb"-?\d[\d.e+-]*|\w+|\"[^\"]*\"", bytes(data)))
            if found:
                start, end = draw.choice(found).span()
                data[start:end] = draw.choice(WORDS)
    return bytes(data)


@dataclass(frozen=True)
class Kind:
    """One kind of file: how a good one is made, which one is changed, and what opens it.

    `again` makes the checksums of changed bytes right again, as damage never does and a hostile author would.
    """

    make: Callable[[Path], Path]
    open: Callable[[Path], object]
    text: bool = False
    again: Callable[[Path, bytes], bytes] | None = None


def _one_of(draw: random.Random, path: Path) -> Path:
    """Return the file itself, or one of a folder's files."""
    if path.is_file():
        return path
    return draw.choice(sorted(one for one in path.rglob("*") if one.is_file() and one.stat().st_size))


def case(kind: Kind, good: Path, seed: int) -> Path:
    """Change one file of a copy of good ones by a seed; return it."""
    draw = random.Random(seed)
    path = _one_of(draw, good)
    raw = path.read_bytes()
    text = kind.text or path.suffix in (".json", ".yaml", ".log", ".jsonl", ".sha256")
    changed = mutated(raw, draw, text)
    if kind.again is not None and draw.random() < 0.5:
        changed = kind.again(path, changed)
    path.write_bytes(changed)
    return path


# ------------------------------------------------------------------------------------------- logs


def _log(folder: Path) -> Path:
    log_of(folder / "log").joinpath("acknowledged.json").write_text('{"durable_seq": 12}\n')
    write_identity(folder / "log", Identity("run", "ab" * 16, "task:make", "fr3", 7, "tcp", "none"))
    return folder / "log"


def _segment_again(path: Path, raw: bytes) -> bytes:
    """Put the right checksum into both headers."""
    data = bytearray(raw)
    for start in (0, 4096):
        length = int.from_bytes(data[start + 40 : start + 44], "little")
        if path.suffix == ".segment" and length < 4096 and len(data) > start + 4096:
            facts = bytes(data[start : start + 44]) + bytes(data[start + 60 : start + 60 + length])
            data[start + 44 : start + 48] = zlib.crc32(facts).to_bytes(4, "little")
    return bytes(data)


def _open_log(folder: Path) -> None:
    read_identity(folder)
    unacknowledged(folder)
    account(folder)
    with closing(LogReader(folder)) as reader:
        reader.read(0, len(reader))
    recover(folder, fill_from=0)
    writer = writer_in(folder)
    writer.close()


def _labels(folder: Path) -> Path:
    for number in range(3):
        append_label(folder, failure_label(session_id(0), 10 * number, 10 * number + 5, "operator"))
    return folder / "labels.log"


def _label_again(_: Path, raw: bytes) -> bytes:
    parts = [line.partition(b" ")[2] for line in raw.splitlines()]
    return b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in parts)


# ------------------------------------------------------------------------------------------- runs


def _checkpoint(folder: Path) -> Path:
    facts = {"counters": {"pretrained": 1, "updates": 2, "policy_version": 1}}
    return CheckpointFolder(folder / "checkpoints", 3).save(7, walking_policy().to_files(), facts)


def _checkpoint_again(path: Path, raw: bytes) -> bytes:
    """Put the right digests beside changed bytes."""
    folder, digest = path.parent, hashlib.sha256(raw).hexdigest()
    if path.name == "manifest.json":
        (folder / "manifest.sha256").write_text(digest)
    elif path.name != "manifest.sha256":
        manifest = json.loads((folder / "manifest.json").read_bytes())
        manifest["files"][path.name] = {"bytes": len(raw), "sha256": digest}
        text = json.dumps(manifest).encode()
        (folder / "manifest.json").write_bytes(text)
        (folder / "manifest.sha256").write_text(hashlib.sha256(text).hexdigest())
    return raw


def _open_checkpoint(folder: Path) -> None:
    SavedPolicy.from_files(read_checkpoint(folder).files)


def _calibration(folder: Path) -> Path:
    facts = {"belongs_to": {"robot.name": "fr3"}, "sets": {"robot.tool_m": [0.0, 0.1]}, "values": {"mass_kg": 0.7}}
    return write_calibration(folder, "tool", "fr3", **facts, residuals={"error_m": 0.001})


def _calibration_again(_: Path, raw: bytes) -> bytes:
    try:
        content = yaml.safe_load(raw.decode())
        content.pop("digest", None)
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return yaml.safe_dump({**content, "digest": digest}, sort_keys=False).encode()
    except (yaml.YAMLError, ValueError, AttributeError, TypeError, RecursionError):
        return raw


def _run_manifest(folder: Path) -> Path:
    RunFolder(folder, "run").write_manifest({"task": {"kind": "reach"}}, {"seed": 1})
    return folder / "run" / "manifest.json"


def _config(folder: Path) -> Path:
    path = folder / "own" / "task" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes((Path(__file__).resolve().parents[2] / "configs" / "task" / "reach.yaml").read_bytes())
    return path


def _open_config(path: Path) -> None:
    use_config_dir(path.parents[1])
    compose(["task=mine"])


def _text_file(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return make


def _onnx(folder: Path) -> Path:
    (folder / "policy.onnx").write_bytes(walking_file())
    return folder / "policy.onnx"


def _onnx_again(_: Path, raw: bytes) -> bytes:
    try:
        return sealed(re.sub(rb"(steadyhand\.sha256\x12\x40)[0-9a-f]{64}", rb"\g<1>" + b"0" * 64, raw))
    except (ValueError, AssertionError):
        return raw


def _policy(folder: Path) -> Path:
    save_policy(folder / "policy.safetensors", walking_policy())
    return folder / "policy.safetensors"


# ------------------------------------------------------------------------------------------- other packages' files


def _exported(kind: str, name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_set(folder / "demos")
        assert main(["data", "export", str(folder / "demos"), str(folder / name), "--to", kind]) == 0
        return folder / name

    return make


def _serl(folder: Path) -> Path:
    seen = {"state": np.zeros((1, 3), np.float32)}
    one = {"observations": seen, "next_observations": seen, "actions": np.zeros(2, np.float32), "rewards": 0.0}
    out = io.BytesIO()
    ForkingPickler(out, 4).dump([{**one, "masks": 1.0 - (step == 2), "dones": step == 2} for step in range(3)])
    (folder / "demos.pkl").write_bytes(out.getvalue())
    return folder / "demos.pkl"


def _open_foreign(path: Path) -> None:
    with opened_foreign(path) as found:
        wanted = [name for name in found.observations if name.startswith("observation.")] or list(found.observations)
        for _ in found.episodes(wanted, range(len(found))):
            pass


def _journal(path: Path) -> None:
    Journal(path, 0).close()


KINDS = {
    "log": Kind(_log, _open_log, again=_segment_again),
    "labels": Kind(_labels, lambda path: LabelReader(path.parent, session_id(0)).refresh(), True, _label_again),
    "demo set": Kind(
        lambda folder: write_set(folder / "demos") / "manifest.json", lambda path: read_manifest(path.parent)
    ),
    "checkpoint": Kind(_checkpoint, _open_checkpoint, again=_checkpoint_again),
    "calibration": Kind(_calibration, read_calibration, True, _calibration_again),
    "run manifest": Kind(_run_manifest, lambda path: RunFolder(path.parents[1], "run").read_manifest(), True),
    "configuration": Kind(_config, _open_config, True),
    "epoch": Kind(_text_file("learner_epoch.json", '{"learner_epoch": 3}\n'), next_epoch, True),
    "journal": Kind(_text_file("journal.jsonl", '[0,{"ab":1}]\n[1,{"ab":2}]\n'), _journal, True),
    "metrics": Kind(_text_file("actor.jsonl", '{"episode_id": 1, "env_steps": 5}\n' * 3), read_rows, True),
    "onnx": Kind(_onnx, OnnxPolicy.load, again=_onnx_again),
    "policy": Kind(_policy, load_policy),
    "robomimic": Kind(_exported("robomimic", "set.hdf5"), _open_foreign),
    "lerobot": Kind(_exported("lerobot", "lerobot"), _open_foreign),
    "minari": Kind(_exported("minari", "minari"), _open_foreign),
    "serl": Kind(_serl, _open_foreign),
}


def names_of(path: Path, good: Path) -> Iterator[str]:
    """Yield the names of which a refusal must hold one."""
    yield path.name
    yield good.name
    yield from (part.name for part in path.parents if good in (part, *part.parents))
