import dataclasses
import io
from threading import Event

import pytest
from rich.console import Console as Terminal

from steadyhand.actor.config import LoggingConfig
from steadyhand.learner.status import LearnerStatus
from steadyhand.learner_view import Rate, plain_line, shown, view
from tests.transport_kit import wait_until

METRICS = {"critic_loss": 0.01234, "policy_loss": -0.5, "q_mean": 0.812, "success": 0.75, "success_alone": 0.5}
METRICS |= {"intervention_share": 0.1, "episode_return": 0.75}
STATUS = LearnerStatus("online", 1400, 400, 100, 279, 4.0, 28, METRICS)


class Stepped:
    now = 0

    def now_ns(self):
        return self.now

    def sleep_until(self, t_ns):
        self.now = t_ns


def drawn(status):
    terminal = Terminal(file=io.StringIO(), width=140)
    terminal.print(view(status, 55.0))
    return terminal.file.getvalue()


@pytest.mark.parametrize("text", [plain_line(STATUS, 55.0), drawn(STATUS)], ids=["plain", "drawn"])
def test_both_show_everything(text):
    parts = ["online", "400 online, 1000 on demonstrations, 55/s", "100 control steps, UTD 4.00", "279 steps"]
    parts += ["version 28 published", "critic 0.01234", "0.812", "success 75%, 50% alone", "10% of the steps"]
    assert [part for part in [*parts, "return 0.75"] if part not in text] == []


def test_a_learner_without_anything_says_what_it_waits_for():
    assert "steadyhand record, steadyhand act" in plain_line(LearnerStatus(), 0.0)
    assert "learner.start_transitions" in plain_line(LearnerStatus(transitions=3), 0.0)


def test_several_actors_and_other_runs_are_counted():
    line = plain_line(dataclasses.replace(STATUS, actors={"right": 40, "left": 60}, prior_starts=7), 0.0)
    assert "left 60 steps, right 40 steps" in line
    assert "from other runs 7 steps" in line
    assert "actors" not in plain_line(dataclasses.replace(STATUS, actors={"arm": 100}), 0.0)


def test_the_rate_is_a_mean_over_two_seconds():
    clock = Stepped()
    rate = Rate(clock)
    assert rate.per_s(0) == 0.0
    clock.now = 1_000_000_000
    assert rate.per_s(60) == 0.0
    clock.now = 2_000_000_000
    assert rate.per_s(120) == 60.0
    clock.now = 3_000_000_000
    assert rate.per_s(121) == 60.0


def test_lines_come_only_when_something_has_changed():
    out, now = io.StringIO(), [STATUS]
    asked = Event()

    def status():
        asked.set()
        return now[0]

    with shown(LoggingConfig("info", "plain", 4.0, 2.0, 0.01), status, out):
        wait_until(lambda: out.getvalue().count("\n") == 1, 10)
        for _ in range(3):  # what is the same is not said again
            asked.clear()
            assert asked.wait(10)
        assert out.getvalue().count("\n") == 1
        now[0] = dataclasses.replace(STATUS, steps=1500)
        wait_until(lambda: out.getvalue().count("\n") == 2, 10)
    assert out.getvalue().count("\n") == 2


def test_nothing_is_shown_where_nothing_is_wanted(capsys):
    with shown(LoggingConfig("info", "off", 4.0, 2.0, 0.01), lambda: STATUS):
        pass
    assert capsys.readouterr().out == ""
