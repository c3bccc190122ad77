"""Every exporter keeps its contract; those whose package is missing here are skipped."""

import struct

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from steadyhand.contracts.exporter import ExporterContract
from steadyhand.exporters.tensorboard import TensorBoard
from steadyhand.exporters.trackio import Trackio, TrackioConfig
from steadyhand.exporters.wandb import Wandb, WandbConfig
from tests.transport_kit import wait_until


def board(folder):
    found = EventAccumulator(str(folder)).Reload()
    return found, {tag: [event.value for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


class TestTensorBoard(ExporterContract):
    def make_exporter(self, folder):
        return TensorBoard()

    def scalars(self, folder, process):
        found, values = board(folder / "tensorboard" / process.process)
        assert found.Tags()["images"] == ["camera/wrist"]
        (event,) = found.Images("camera/wrist")
        assert (event.width, event.height) == (6, 8)
        assert any("hparams" in tag for tag in found.summary_metadata)
        return values

    def test_the_learner_is_at_the_top(self, tmp_path, process):
        exporter = TensorBoard()
        exporter.open(type(process)("pegs", "learner", tmp_path, {}))
        exporter.scalars("update", 5, {"q_mean": 0.5})
        exporter.close()
        assert board(tmp_path / "tensorboard")[1] == {"q_mean": [0.5]}


def leveldb_records(raw):
    """Yield the records of a file in LevelDB's log format: blocks of 32 KiB, after W&B's header of 7 bytes."""
    place, whole = 7, b""
    while place + 7 <= len(raw):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", raw, place)
        whole += raw[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


class TestWandb(ExporterContract):
    """Offline: what is in the file is read with W&B's own messages."""

    def make_exporter(self, folder):
        pytest.importorskip("wandb")
        return Wandb(WandbConfig("steadyhand", None, "offline"))

    def scalars(self, folder, process):
        from wandb.proto import wandb_internal_pb2

        (file,) = folder.glob("wandb/offline-run-*/*.wandb")
        found, pictures, config, records = {}, [], {}, []

        def is_complete():  # W&B's own process writes the file, and ends a moment later
            records[:] = [wandb_internal_pb2.Record.FromString(data) for data in leveldb_records(file.read_bytes())]
            return any(record.HasField("exit") for record in records)

        wait_until(is_complete, 20)
        for record in records:
            for item in record.history.item:
                name, *below = item.nested_key
                if below == ["_type"]:
                    pictures.append(name)
                elif not below and not name.startswith("_"):
                    found.setdefault(name, []).append(float(item.value_json))
            if record.HasField("run"):
                config = {item.key: item.value_json for item in record.run.config.update}
                assert (record.run.run_group, record.run.display_name) == ("pegs", "pegs/actor-arm")
        assert pictures == ["camera/wrist"]
        assert list(folder.glob("wandb/offline-run-*/files/media/images/**/*.png"))
        assert float(config["algo.gamma"]) == 0.98
        return found


class TestTrackio(ExporterContract):
    """Trackio's data base is one folder of the machine, so the project has a name of its own."""

    def make_exporter(self, folder):
        pytest.importorskip("trackio")
        return Trackio(TrackioConfig(f"steadyhand-{folder.name}", None))

    def scalars(self, folder, process):
        from trackio.sqlite_storage import SQLiteStorage

        found = {}
        for row in SQLiteStorage.get_logs(f"steadyhand-{folder.name}", "pegs-actor-arm"):
            for name, value in row.items():
                found.setdefault(name, []).append(value)
        assert found["camera/wrist"]
        return found
