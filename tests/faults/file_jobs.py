"""Jobs that a bad disk may disturb: checkpoints, labels, calibration files, demo sets and the files of a run.

A job's `run` behaves as the product's own callers do after an error. Its `check` starts again on what is left, with a
reader that shares no code with the product, and goes on.
"""

from __future__ import annotations

import hashlib
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import numpy as np

from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.journal import Journal
from steadyhand.learner.resume import next_epoch
from steadyhand.runtime.calibration_file import read_calibration, write_calibration
from steadyhand.runtime.run_folder import RunFolder, make_folder
from steadyhand.transport.demo_set import count_episodes, is_demo_set, read_manifest
from steadyhand.transport.demo_writer import DemoSetWriter
from steadyhand.transport.label_log import LabelReader, append_label, failure_label
from steadyhand.transport.log import LogReader
from tests.faults.disk_world import Ledger, attempt
from tests.integrity.plain_log import read_log
from tests.transport_kit import CONFIG, SCHEMA, session_id


class CheckpointJob:
    """Checkpoints, one of them written again."""

    process: ClassVar = ("saved",)
    power: ClassVar = ("saved",)
    FILES: ClassVar = {
        step: {"policy.json": b"%d" % step, "learner.safetensors": bytes([step]) * 500} for step in range(9)
    }

    def run(self, folder: Path, ledger: Ledger) -> None:
        checkpoints = CheckpointFolder(folder / "checkpoints", keep=2)
        for step in (1, 2, 2, 3):
            with suppress(OSError):
                checkpoints.save(step, self.FILES[step], {"counters": step})
                ledger.note("saved", step)

    def check(self, folder: Path, promised: dict[str, int]) -> None:
        checkpoints = CheckpointFolder(folder / "checkpoints", keep=2)
        checkpoints.clean()
        newest = checkpoints.newest()
        step = 0 if newest is None else newest.step
        assert step >= promised.get("saved", 0)
        assert newest is None or newest.files == self.FILES[step]
        checkpoints.save(4, self.FILES[4], {})
        found = checkpoints.newest()
        assert found is not None
        assert found.files == self.FILES[4]
        assert not [path for path in (folder / "checkpoints").iterdir() if not path.name.startswith("step-")]


class LabelJob:
    """Four labels of a log."""

    process: ClassVar = ("labels",)
    power: ClassVar = ("labels",)

    def run(self, folder: Path, ledger: Ledger) -> None:
        if attempt(lambda: make_folder(folder / "log") or True) is None:
            return
        for number in range(4):
            if attempt(append_label, folder / "log", self._label(number)) is not None:
                ledger.note("labels", [*ledger.until().get("labels", []), number])

    def _label(self, number: int) -> Any:
        return failure_label(session_id(0), 10 * number, 10 * number + 5, f"operator {number}")

    def check(self, folder: Path, promised: dict[str, list[int]]) -> None:
        (folder / "log").mkdir(exist_ok=True)
        found = [label.first_seq // 10 for label in LabelReader(folder / "log", session_id(0)).refresh()]
        assert found == sorted(set(found))
        assert set(found) >= set(promised.get("labels", []))
        label = append_label(folder / "log", self._label(8))
        assert label.version == len(found) + 1
        after = LabelReader(folder / "log", session_id(0)).refresh()
        assert [one.first_seq // 10 for one in after] == [*found, 8]


class CalibrationJob:
    """Three calibration files, two of them with a picture."""

    process: ClassVar = ("files",)
    power: ClassVar = ("files",)

    def run(self, folder: Path, ledger: Ledger) -> None:
        for number in range(3):
            path = attempt(lambda number=number: self._write(folder / "calibration", number))
            if path is not None:
                ledger.note("files", [*ledger.until().get("files", []), path.name])

    def _write(self, folder: Path, number: int) -> Path:
        facts = {"belongs_to": {"a": number}, "sets": {"b": 2.0}, "values": {"c_m": 1.0}, "residuals": {"d_m": 0.1}}
        return write_calibration(folder, "tool", f"arm{number}", **facts, png=b"png" * number or None)

    def check(self, folder: Path, promised: dict[str, list[str]]) -> None:
        place = folder / "calibration"
        found = {path.name: read_calibration(path) for path in place.glob("*.yaml")}
        assert found.keys() >= set(promised.get("files", []))
        for calibration in found.values():
            if calibration.picture is not None:
                data = (place / calibration.picture.file).read_bytes()
                assert hashlib.sha256(data).hexdigest() == calibration.picture.sha256
        assert read_calibration(self._write(place, 7)).device == "arm7"


class DemoJob:
    """A demo set of three episodes, one of them a failure, which is complete or has no manifest."""

    process: ClassVar = ("complete",)
    power: ClassVar = ("complete",)

    def run(self, folder: Path, ledger: Ledger) -> None:
        small = mock.patch("steadyhand.transport.demo_writer.SEGMENT_BYTES", CONFIG.segment_bytes)
        with small, suppress(OSError), DemoSetWriter(folder / "demos", SCHEMA, {}, "operator") as demos:
            for episode in range(3):
                frames = np.full((7, 4, 6, 3), episode, np.uint8)
                seen = {"state": np.arange(21.0).reshape(7, 3), "wrist": frames}
                demos.add_episode(seen, np.zeros((6, 2)), np.ones(6), terminated=True, success=episode != 1)
            demos.close()
            ledger.note("complete", True)

    def check(self, folder: Path, promised: dict[str, bool]) -> None:
        demos = folder / "demos"
        complete = is_demo_set(demos)
        assert complete or not promised.get("complete")
        if not complete:
            return
        manifest = read_manifest(demos)
        assert (manifest.episodes, manifest.successes, manifest.steps) == (3, 2, 18)
        records = read_log(demos)
        assert [one.seq for one in records if one.sound] == list(range(21))
        labels = LabelReader(demos, manifest.session_id).refresh()
        assert [(one.first_seq, one.end_seq, one.success) for one in labels] == [(7, 14, False)]
        with closing(LogReader(demos)) as reader:
            assert count_episodes(reader) == (3, 2, 18)


class RunJob:
    """A run's folder: its id, its manifest, the learner's starts and its journal."""

    process: ClassVar = ("run_id", "manifest", "epoch", "lines")
    power: ClassVar = ("run_id", "manifest", "epoch", "synced")

    def run(self, folder: Path, ledger: Ledger) -> None:
        with mock.patch("steadyhand.runtime.run_folder.provenance", dict):  # it looks at every installed package
            self._run(folder, ledger)

    def _run(self, folder: Path, ledger: Ledger) -> None:
        run = attempt(lambda: RunFolder(folder / "runs", "pegs"))
        if run is None:
            return
        for seed in range(2):
            if attempt(run.write_manifest, {"task": "reach"}, {"seed": seed}) is not None:
                ledger.note("manifest", seed)
            if attempt(run.keep_run_id, "ab" * 16) is not None and "manifest" in ledger.until():
                ledger.note("run_id", "ab" * 16)
            epoch = attempt(next_epoch, run.path / "learner_epoch.json")
            if epoch is not None:
                ledger.note("epoch", epoch)
        journal = attempt(Journal, run.path / "journal.jsonl", 0)
        if journal is None:
            return
        for block in range(4):
            if attempt(journal.note, block, {"session": block + 1}) is None:
                break
            ledger.note("lines", block + 1)
            with suppress(OSError):
                journal.sync()
                ledger.note("synced", block + 1)
        journal.close()

    def check(self, folder: Path, promised: dict[str, Any]) -> None:
        run = RunFolder(folder / "runs", "pegs")
        manifest = run.read_manifest()
        if "manifest" in promised:
            assert manifest is not None
            assert manifest["seeds"]["seed"] >= promised["manifest"]
        assert promised.get("run_id", run.run_id) == run.run_id
        assert next_epoch(run.path / "learner_epoch.json") > promised.get("epoch", -1)
        lines = max(promised.get("lines", 0), promised.get("synced", 0))
        with closing(Journal(run.path / "journal.jsonl", 0)) as journal:
            found = [journal.note(block, {"session": block + 1}) for block in range(4)]
        assert found[:lines] == [{"session": block + 1} for block in range(lines)]
        with mock.patch("steadyhand.runtime.run_folder.provenance", dict):
            run.write_manifest({"task": "reach"}, {"seed": 9})
        assert run.read_manifest()["seeds"] == {"seed": 9}
