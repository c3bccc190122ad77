"""The commands of docs/first-day.md, run in order on the mock's cell with hidden errors."""

import glob
import re
import shlex
from pathlib import Path

import pytest
import yaml

from steadyhand.cli import main
from steadyhand.runtime.calibration_file import read_calibration

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "first-day.md").read_text(encoding="utf-8")
PERSON = "device=web"


def commands(section: str) -> list[str]:
    """Return the commands of one section that need no person."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [line.strip() for line in text.splitlines() if line.startswith("    steadyhand ") and PERSON not in line]


def words(command: str) -> list[str]:
    """Return the words of a command as a shell gives them: without the program, patterns expanded, no comment."""
    given = shlex.split(command, comments=True)[1:]
    return [name for word in given for name in (sorted(glob.glob(word)) or [word] if "*" in word else [word])]


@pytest.mark.slow
def test_every_command_of_the_first_day(tmp_path, monkeypatch):
    experiment = tmp_path / "my_cell" / "experiment" / "calibrate_cell.yaml"
    experiment.parent.mkdir(parents=True)
    preset = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    assert yaml.safe_load(preset)["calibration"]["board"]["squares_x"] == 5
    experiment.write_text(preset, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEADYHAND_CONFIG", "my_cell")
    measured, checked = commands("Measure"), commands("Check")
    assert (len(measured), len(checked)) == (6, 3)
    for command in measured + checked:
        assert main(words(command)) == 0, command
    (latency,) = (tmp_path / "calibrations").glob("latency-*.yaml")
    found = read_calibration(latency).sets
    # From exposure to receipt, with the mean of the jitter.
    assert found["camera.views.wrist.latency_s"] == pytest.approx(0.0675, abs=0.005)
    assert found["camera.views.side.latency_s"] == pytest.approx(0.0875, abs=0.005)
