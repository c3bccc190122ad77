import sys
import threading

import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.exporters.exporter import ExportedProcess, ExportError, MetricsExporter
from steadyhand.exporters.exports import WAITING, Exports, exports, flat_settings
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.settings import compose_settings
from tests.unit.steadyhand.point_task import OVERRIDES


class Noting(MetricsExporter):
    """Notes its calls; raises where it is told to, and waits while it is told to."""

    def __init__(self):
        self.calls, self.fails, self.gate = [], "", threading.Event()
        self.gate.set()

    def open(self, process):
        self.note("open", process.process)

    def scalars(self, axis, step, values):
        self.note("scalars", axis, step, values)

    def picture(self, axis, step, name, pixels):
        self.note("picture", axis, step, name, pixels.copy())

    def rewind(self, axis, step):
        self.note("rewind", axis, step)

    def close(self):
        self.note("close")

    def note(self, name, *values):
        self.gate.wait(10)
        self.calls.append((name, *values))
        if name == self.fails:
            raise ExportError("no login")


def hub(tmp_path, *exporters):
    process = ExportedProcess("run", "learner", tmp_path, {})
    return Exports({f"e{index}": exporter for index, exporter in enumerate(exporters)}, process)


def test_everything_arrives_in_order(tmp_path):
    one = Noting()
    exported, pixels = hub(tmp_path, one), np.ones((2, 2, 3), np.uint8)
    exported.scalars("env_steps", 1, {"early": 1.0})
    exported.begin(7)
    exported.write(8, {"q": 0.5, "nan": float("nan")})
    exported.picture("env_steps", 3, "camera/wrist", pixels)
    pixels[:] = 9
    exported.close()
    assert [call[:3] for call in one.calls] == [
        ("open", "learner"),
        ("rewind", "update", 7),
        ("scalars", "update", 8),
        ("picture", "env_steps", 3),
        ("close",),
    ]
    assert one.calls[2][3] == {"q": 0.5}
    assert (one.calls[3][4] == 1).all()
    exported.close()
    assert len(one.calls) == 5


def test_one_that_fails_is_dropped_and_the_others_go_on(tmp_path, caplog):
    bad, good = Noting(), Noting()
    bad.fails = "scalars"
    exported = hub(tmp_path, bad, good)
    exported.begin(0)
    for update in (1, 2):
        exported.write(update, {"q": 0.0})
    exported.close()
    assert [call[0] for call in bad.calls] == ["open", "scalars"]
    assert [call[0] for call in good.calls] == ["open", "scalars", "scalars", "close"]
    assert "logging.exporters.e0: failed (ExportError: no login)" in caplog.text


def test_one_that_cannot_begin_ends_the_start_and_closes_the_others(tmp_path):
    good, bad = Noting(), Noting()
    bad.fails = "open"
    with pytest.raises(ExportError, match="no login"):
        hub(tmp_path, good, bad).open()
    assert [call[0] for call in good.calls] == ["open", "close"]


def test_a_slow_exporter_holds_nobody_up(tmp_path, caplog):
    slow = Noting()
    exported = hub(tmp_path, slow)
    exported.begin(0)
    slow.gate.clear()
    for update in range(WAITING + 50):
        exported.write(update, {"q": 0.0})
    assert 0 < exported.dropped <= 50
    slow.gate.set()
    exported.close()
    assert "values were not exported" in caplog.text


def test_without_exporters_there_is_no_thread(tmp_path):
    exported, before = hub(tmp_path), threading.active_count()
    exported.open()
    exported.write(1, {"q": 0.0})
    assert threading.active_count() == before
    exported.close()


def test_settings_are_flat():
    algo = {"gamma": 0.9, "critic_hidden": [2, 3], "none": None}
    found = flat_settings({"seed": 3, "algo": algo, "transport": {"a": 1}})
    assert found == {"seed": 3, "algo.gamma": 0.9, "algo.critic_hidden": "[2, 3]"}


def test_the_configuration_names_them(tmp_path):
    entry = f"{__name__}:Noting"
    words = [*OVERRIDES, "logging.exporters.tensorboard=null", f"+logging.exporters.mine.entry_point={entry}"]
    settings = compose_settings(words)
    with exports(settings.logging, RunFolder(tmp_path, "run"), "learner", settings.composed) as exported:
        exported.open()
        (mine,) = exported._opened.values()
    assert [call[0] for call in mine.calls] == ["open", "close"]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("+logging.exporters.mine.entry_point=nowhere:Exporter", "cannot import 'nowhere'"),
        ("+logging.exporters.mine.entry_point=json:dumps", "expected a class derived from MetricsExporter"),
        ("+logging.exporters.tensorboard.colour=red", "expected no settings"),
    ],
)
def test_a_wrong_one_is_refused(tmp_path, word, line):
    settings = compose_settings([*OVERRIDES, word])
    run = RunFolder(tmp_path, "run")
    with pytest.raises(ConfigError, match=line), exports(settings.logging, run, "learner", settings.composed):
        pass


@pytest.mark.parametrize("package", ["wandb", "trackio"])
def test_a_missing_package_is_named_in_one_line_and_nothing_is_left(tmp_path, capsys, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    words = [*OVERRIDES, f"logging={package}", f"run_root={tmp_path / 'runs'}", "run_name=x"]
    assert main(["learn", *words]) == 2
    error = capsys.readouterr().err
    assert f"expected the package {package}, found it not installed; in the clone: pip install '.[{package}]'" in error
    assert not (tmp_path / "runs").exists()
