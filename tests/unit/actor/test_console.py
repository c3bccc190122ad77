import dataclasses
import io
import math

import pytest
from rich.console import Console as Terminal

from steadyhand.actor.config import LoggingConfig
from steadyhand.actor.console import LiveConsole, NoConsole, PlainConsole, Status, make_console
from steadyhand.actor.console.live import view
from steadyhand.actor.console.plain import progress_line
from steadyhand.actor.events import EpisodeLogged, Waiting
from steadyhand.runtime.clock import FakeClock

STATUS = Status(
    waiting="",
    in_control="person",
    episode=12,
    env_steps=1234,
    max_env_steps=40_000,
    control_minutes=2.06,
    robot_minutes=3.1,
    success_window=20,
    success_alone=0.25,
    success_helped=0.5,
    intervention_rate=0.75,
    updates=2468,
    utd_ratio=2.0,
    policy_version=41,
    policy_age_s=1.5,
    step_rate_hz=10.0,
    overruns=3,
    learner_phase="train",
    connected=True,
)
CONFIG = LoggingConfig("info", "auto", 4.0, 2.0, 10.0)


def drawn(status):
    terminal = Terminal(file=io.StringIO(), width=120)
    terminal.print(view(status))
    return terminal.file.getvalue()


@pytest.mark.parametrize("text", [progress_line(STATUS), drawn(STATUS)])
@pytest.mark.parametrize("part", ["12", "1234/40000", "25%", "50%", "75%", "2468", "2.0", "41", "10.0", "train"])
def test_both_show_everything(text, part):
    assert part in text


def test_who_is_in_control_and_why_nothing_moves():
    assert "person in control" in drawn(STATUS)
    waiting = dataclasses.replace(STATUS, waiting="the first weights", connected=False, policy_age_s=math.inf)
    assert "waiting for the first weights" in drawn(waiting)
    assert "not connected" in drawn(waiting)
    assert "not connected" in progress_line(waiting)


def test_text_of_a_peer_is_not_markup():
    hostile = dataclasses.replace(STATUS, learner_phase="[/]", waiting="[bold]boo[/x]")
    assert "[/]" in drawn(hostile)
    assert "[bold]boo[/x]" in drawn(hostile)


class TestPlain:
    def make(self, status=STATUS):
        self.out, self.clock, self.status = io.StringIO(), FakeClock(), status
        console = PlainConsole(self.out, 2.0, self.clock)
        console.start(lambda: self.status)
        return console

    def lines(self):
        return self.out.getvalue().splitlines()

    def test_one_line_in_two_seconds(self):
        console = self.make()
        for _ in range(10):
            console.episode_done(EpisodeLogged({}))
            self.clock.advance_ns(500_000_000)
        assert len(self.lines()) == 3
        console.close()
        assert len(self.lines()) == 4

    def test_a_reason_to_wait_is_said_at_once(self):
        console = self.make()
        for waiting in ("a", "", "b"):
            console.waiting(Waiting(waiting))
        assert self.lines() == ["waiting for a", "waiting for b"]

    def test_before_the_start_and_after_the_end_nothing_is_written(self):
        console = PlainConsole(io.StringIO(), 2.0, FakeClock())
        console.episode_done(EpisodeLogged({}))
        console.waiting(Waiting("a person"))
        console.close()
        console.close()


class TestLive:
    def test_the_last_state_stays_on_the_screen(self):
        out = io.StringIO()
        console = LiveConsole(Terminal(file=out, force_terminal=True, width=120), 50.0)
        console.start(lambda: STATUS)
        console.episode_done(EpisodeLogged({}))
        console.waiting(Waiting("a person"))
        console.close()
        console.close()
        assert "person in control" in out.getvalue()


class TestChoice:
    def test_plain_where_there_is_no_terminal(self):
        assert isinstance(make_console(CONFIG, io.StringIO()), PlainConsole)

    def test_live_on_a_terminal(self):
        out = io.StringIO()
        out.isatty = lambda: True
        assert isinstance(make_console(CONFIG, out), LiveConsole)

    @pytest.mark.parametrize(("name", "kind"), [("live", LiveConsole), ("plain", PlainConsole), ("off", NoConsole)])
    def test_as_asked_for(self, name, kind):
        console = make_console(dataclasses.replace(CONFIG, console=name), io.StringIO())
        assert isinstance(console, kind)

    def test_the_silent_one_is_silent(self, capsys):
        console = NoConsole()
        console.start(lambda: STATUS)
        console.episode_done(EpisodeLogged({}))
        console.waiting(Waiting("a person"))
        console.close()
        assert capsys.readouterr().out == ""
