import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.terminal import Stages, duration_text, table_text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (1460, "24 min 20 s"), (3900, "1 h 05 min")]
)
def test_times_are_said_as_people_say_them(seconds, text):
    assert duration_text(seconds) == text


def test_numbers_stand_at_the_right():
    lines = table_text(("run", "steps"), [("a", 5), ("long", 1200)]).splitlines()
    assert lines == ["run   steps", "----  -----", "a         5", "long   1200"]


def test_a_stage_is_measured_even_when_it_fails(capsys):
    clock, ended = FakeClock(), []
    stages = Stages(2, lambda name, wall_s: ended.append((name, wall_s)), clock)
    with stages.stage("demonstrations", "20 demonstrations"):
        clock.advance_ns(3 * 10**9)
    with pytest.raises(RuntimeError):
        _fail(stages, clock)
    assert ended == [("demonstrations", 3.0), ("practice", 61.0)]
    out = capsys.readouterr().out
    assert "[1/2] 20 demonstrations" in out
    assert "took 1 min 01 s" in out


def _fail(stages, clock):
    with stages.stage("practice", "Practice"):
        clock.advance_ns(61 * 10**9)
        raise RuntimeError
