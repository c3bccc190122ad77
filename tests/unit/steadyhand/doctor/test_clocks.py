import pytest

from steadyhand.doctor import Level, clocks
from tests.unit.steadyhand.doctor.kit import config

REAL_ARM = {"task": {"kind": "robot"}, "robot": {"kind": "ros"}}


def test_this_machine_tells_the_time_and_wakes_up():
    assert clocks.check_clock({}).level in (Level.OK, Level.NOTE)
    assert clocks.check_punctuality({}).found.startswith("woken ")


@pytest.mark.parametrize(("state", "level"), [(0, Level.OK), (clocks.UNSYNCHRONISED, Level.NOTE)])
def test_a_clock_that_nobody_keeps_is_noted(monkeypatch, state, level):
    library = type("Library", (), {"adjtimex": lambda self, buffer: state})()
    monkeypatch.setattr(clocks.ctypes, "CDLL", lambda *words, **options: library)
    assert clocks.check_clock({}).level is level


def test_a_controller_of_a_real_arm_wants_priority(monkeypatch):
    monkeypatch.setattr(clocks.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(clocks.resource, "getrlimit", lambda which: (0, 0))
    assert clocks.check_rtprio(config()).level is Level.OK
    assert clocks.check_rtprio(REAL_ARM).level is Level.NOTE
    monkeypatch.setattr(clocks.resource, "getrlimit", lambda which: (0, 99))
    assert clocks.check_rtprio(REAL_ARM).level is Level.OK
    monkeypatch.setattr(clocks.resource, "getrlimit", lambda which: (0, clocks.resource.RLIM_INFINITY))
    assert clocks.check_rtprio(REAL_ARM).level is Level.OK


def test_only_a_real_arm_wants_a_real_time_kernel(monkeypatch, tmp_path):
    monkeypatch.setattr(clocks, "REALTIME_KERNEL", tmp_path / "realtime")
    assert clocks.check_kernel(config()) is None
    assert clocks.check_kernel(REAL_ARM).level is Level.NOTE
    (tmp_path / "realtime").write_text("1\n")
    assert clocks.check_kernel(REAL_ARM).level is Level.OK


def test_a_clock_that_starts_in_1970_is_noted(monkeypatch):
    monkeypatch.setattr(clocks, "wall_time_ns", lambda: 3_600_000_000_000)
    finding = clocks.check_clock({})
    assert finding.level is Level.NOTE
    assert "1970-01-01T01:00:00Z" in finding.found
