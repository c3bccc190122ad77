import json

import numpy as np
import pytest

from steadyhand.actor.control_loop import INTERRUPTED, EpisodeSummary
from steadyhand.actor.events import (
    AuthorityChanged,
    BreakBegan,
    BreakEnded,
    Countdown,
    DemoCounted,
    EpisodeBegan,
    EpisodeEnded,
    Events,
    Fault,
    FaultRecovered,
    LearnerChanged,
    MotionDisabled,
    PolicyLoaded,
    RequestRefused,
    StepEnded,
    StopCleared,
    StopLatched,
    VerdictGiven,
    Waiting,
)
from steadyhand.actor.web.pictures import Pictures
from steadyhand.actor.web.run_view import KEPT, LINES, RunView
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.record import Phase


def summary(success=True, human_steps=0, stop_reason="", discarded=False):
    made = EpisodeSummary(0, Phase.TRAIN, 5, 1.0, success, human_steps, stop_reason, 0.5, 1)
    return EpisodeSummary(**{**made.__dict__, "discarded": discarded})


class Bench:
    def __init__(self):
        self.events, self.pictures, self.clock, self.changes = Events(), Pictures(80), FakeClock(), 0
        self.view = RunView(self.events, self.pictures, self.clock, self._change)

    def _change(self):
        self.changes += 1

    def after(self, *events):
        for event in events:
            self.events.emit(event)
        found = self.view.snapshot()
        assert json.loads(json.dumps(found))
        return found


@pytest.fixture
def bench():
    return Bench()


def test_every_event_is_a_change_of_what_the_page_shows(bench):
    seen = [bench.after()]
    for event in (
        AuthorityChanged("policy"),
        Waiting("the learner"),
        EpisodeBegan(3, Phase.TRAIN, 0, {}),
        StepEnded(3, 1, {"side": np.zeros((4, 4, 3), np.uint8)}, 0.0, 0),
        StopLatched("force_limit"),
        StopCleared("force_limit"),
        Countdown(2),
        BreakBegan(),
        BreakEnded(),
        PolicyLoaded(1, 9),
        LearnerChanged("online", True, False),
        DemoCounted(4, "demonstration", 7, 20, "43 steps"),
        MotionDisabled("person_stop"),
        VerdictGiven("success"),
        RequestRefused("resume", "not heard: current_pose"),
        EpisodeEnded(summary(), "success"),
        Fault("robot_fault"),
    ):
        seen.append(bench.after(event))
        assert seen[-1] != seen[-2], event
    assert bench.changes == len(seen) - 1
    assert seen[-1]["demos"] == {"successes": 7, "wanted": 20, "quality": "43 steps"}
    assert seen[-1]["fault"] == "robot_fault"
    assert bench.pictures.names() == ("side",)
    assert bench.after(FaultRecovered())["fault"] == ""


def test_an_episode_ends_the_wait_and_clears_the_stop(bench):
    found = bench.after(Waiting("the learner"), StopLatched("force_limit"), EpisodeBegan(0, Phase.TRAIN, 0))
    assert (found["waiting"], found["stop"]) == ("", "")


def test_curves_leave_out_discarded_and_interrupted_episodes(bench):
    found = bench.after(
        EpisodeEnded(summary(), "success"),
        EpisodeEnded(summary(False, 3), "failure"),
        EpisodeEnded(summary(discarded=True), "truncated"),
        EpisodeEnded(summary(stop_reason=INTERRUPTED), INTERRUPTED),
    )
    assert found["episodes"] == [[1, 0], [0, 1]]
    assert found["finished"] == 2


def test_what_is_kept_is_bounded(bench):
    for _ in range(KEPT + 5):
        found = bench.after(EpisodeEnded(summary(), "success"))
    assert (len(found["episodes"]), len(found["lines"]), found["finished"]) == (KEPT, LINES, KEPT + 5)


def test_ages_are_of_the_moment(bench):
    bench.after(PolicyLoaded(1, 9), VerdictGiven("success"))
    bench.clock.advance_ns(2_000_000_000)
    found = bench.after()
    assert found["policy"] == {"version": 9, "age_s": 2.0}
    assert found["lines"][0][0] == 2.0
