from collections import namedtuple

import pytest

from steadyhand.doctor import Level, environment
from tests.unit.steadyhand.doctor.kit import config


def without(monkeypatch, *modules):
    there = environment.is_there
    monkeypatch.setattr(environment, "is_there", lambda module: module not in modules and there(module))


@pytest.mark.parametrize(
    ("version", "level"), [((3, 9), "BROKEN"), ((3, 10), "ok"), ((3, 12), "ok"), ((3, 13), "BROKEN")]
)
def test_tested_versions_of_python(monkeypatch, version, level):
    monkeypatch.setattr(environment.sys, "version_info", namedtuple("Version", "major minor")(*version))
    assert environment.check_python({}).level.value == level


def test_missing_packages_are_named(monkeypatch):
    without(monkeypatch, "zmq", "yaml")
    finding = environment.check_packages({})
    assert finding.level is Level.BROKEN
    assert finding.mend == "pip install pyzmq pyyaml"


def test_only_the_mock_needs_mujoco(monkeypatch):
    assert environment.check_mujoco(config()).level is Level.OK
    without(monkeypatch, "mujoco")
    assert environment.check_mujoco(config()).level is Level.BROKEN
    behind_ros = environment.check_mujoco(config("robot=mock_ros"))
    assert behind_ros.level is Level.BROKEN
    assert "robot=mock_ros needs it" in behind_ros.found
    assert environment.check_mujoco(config("robot=crisp_fr3")).level is Level.NOTE
    foreign = config("task=gym", "task.entry_point=gymnasium:make")
    assert environment.check_mujoco(foreign).level is Level.NOTE


def test_cameras_must_be_drawn_and_films_may(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(environment, "find_library", lambda name: None)
    assert environment.check_rendering(config()).level is Level.NOTE
    assert environment.check_rendering(config("robot=mock_ros")).level is Level.NOTE
    assert environment.check_rendering(config("robot=crisp_fr3")) is None
    finding = environment.check_rendering(config("camera=wrist_side"))
    assert finding.level is Level.BROKEN
    assert "wrist" in finding.found
    assert finding.mend == "sudo apt-get install libegl1 libosmesa6"
    monkeypatch.setattr(environment, "find_library", lambda name: "lib" if name == "OSMesa" else None)
    assert environment.check_rendering(config("camera=wrist_side")).level is Level.OK
    monkeypatch.setenv("MUJOCO_GL", "egl")
    assert environment.check_rendering(config("camera=wrist_side")).mend == "sudo apt-get install libegl1"
