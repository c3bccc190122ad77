import importlib
import sys

import pytest

from steadyhand.cli import main
from steadyhand.doctor import Level, checks, examine
from steadyhand.doctor.environment import check_python
from tests.unit.steadyhand.doctor.kit import free_ports


def test_this_machine_is_ready_for_the_mock(tmp_path, capsys):
    assert main(["doctor", f"run_root={tmp_path}", *free_ports()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok      steadyhand")
    assert any(line.startswith("ok      port of records") for line in lines)
    assert lines[-1].endswith("0 broken")
    assert all(" -> " in line for line in lines if line.startswith(("note", "BROKEN")))


def test_what_the_configuration_needs_and_is_not_there_fails(tmp_path, capsys):
    words = ["device=spacemouse", f"device.socket={tmp_path}/spnav.sock", f"run_root={tmp_path}", *free_ports()]
    assert main(["doctor", *words]) == 1
    broken = [line for line in capsys.readouterr().out.splitlines() if line.startswith("BROKEN")]
    assert [line.split()[1] for line in broken] == ["device", "spacenavd"]
    assert "apt-get install spacenavd" in broken[0]


def test_a_configuration_that_does_not_compose_is_a_finding_among_others(tmp_path):
    findings = list(examine(["learner.gama=1", f"run_root={tmp_path}"], ["environment", "storage"]))
    assert findings[0].level is Level.BROKEN
    assert "learner.gama: unknown key" in findings[0].found
    assert {"python", "disk"} <= {finding.name for finding in findings}


def test_a_check_that_fails_hides_nothing(monkeypatch):
    def check_weather(config):
        raise ZeroDivisionError("no rain")

    from steadyhand.doctor import environment

    monkeypatch.setattr(environment, "CHECKS", (check_weather, check_python))
    weather, python = examine([], ["environment"])
    assert (weather.name, weather.level) == ("weather", Level.BROKEN)
    assert "ZeroDivisionError: no rain" in weather.found
    assert python.level is Level.OK


def test_a_package_that_is_missing_hides_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "steadyhand.doctor.gpu", raising=False)
    gpu, *rest = examine([], ["gpu", "storage"])
    assert (gpu.name, gpu.level) == ("gpu", Level.BROKEN)
    assert "torch" in gpu.found
    assert len(rest) == 2


@pytest.mark.parametrize("group", checks.GROUPS)
def test_every_group_has_checks_with_a_sentence_each(group):
    module = importlib.import_module(f"steadyhand.doctor.{group}")
    assert module.CHECKS
    assert all(check.__name__.startswith("check_") and check.__doc__ for check in module.CHECKS)
