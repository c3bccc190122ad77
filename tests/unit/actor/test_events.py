import threading

import pytest

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import (
    ActionChosen,
    AuthorityChanged,
    EpisodeBegan,
    EpisodeEnded,
    Events,
    StepEnded,
    StopCleared,
    StopLatched,
    Waiting,
)
from steadyhand.actor.pause import resume_after_stop
from steadyhand.transport.record import Phase
from tests.events_kit import kept
from tests.unit.actor.point_env import Helper, PointEnv, arbiter


def run(env, operator, events, **options):
    loop = ControlLoop(env, env_schema(env), lambda record: None, events=events)
    return loop.run_episode(3, Phase.DEMO, ActionSelector(operator, arbiter()), 0, **options)


def test_an_event_reaches_the_subscribers_of_its_kind_in_their_order():
    events, heard = Events(), []
    events.subscribe(Waiting, lambda event: heard.append(("first", event.reason)))
    events.subscribe(Waiting, lambda event: heard.append(("second", event.reason)))
    events.emit(Waiting("a"))
    events.emit(StopCleared("b"))
    assert heard == [("first", "a"), ("second", "a")]
    assert (events.wants(Waiting), events.wants(StopCleared)) == (True, False)


def test_an_episode_is_told_from_its_reset_to_its_summary():
    events = Events()
    told = kept(events, EpisodeBegan, ActionChosen, StepEnded, EpisodeEnded, AuthorityChanged)
    summary = run(PointEnv(), Helper(lambda step: step < 2), events)
    kinds = [type(event).__name__ for event in told]
    assert kinds[:4] == ["EpisodeBegan", "AuthorityChanged", "ActionChosen", "StepEnded"]
    assert kinds.count("StepEnded") == kinds.count("ActionChosen") == summary.steps
    steps = [event for event in told if isinstance(event, StepEnded)]
    assert [event.steps for event in steps] == list(range(1, summary.steps + 1))
    assert sum(event.reward for event in steps) == summary.episode_return
    assert [event.holder for event in told if isinstance(event, AuthorityChanged)] == ["person", "nobody"]
    assert told[-1] == EpisodeEnded(summary, "truncated")


@pytest.mark.parametrize(("terminal", "outcome"), [(True, "force_limit"), (False, "force_limit")])
def test_a_stop_is_told_when_it_latches_and_when_it_is_cleared(terminal, outcome):
    env, events, helper = PointEnv(), Events(), Helper()
    env.stop_at, env.stop_is_terminal, helper.refusals = 0, terminal, 2
    told = kept(events, StopLatched, StopCleared, EpisodeEnded)
    summary = run(env, helper, events)
    assert told == [StopLatched("force_limit"), EpisodeEnded(summary, outcome)]
    resume_after_stop(env, helper, summary.stop_reason, lambda: False, events=events)
    assert told[2:] == [StopCleared("force_limit")]


def test_an_interruption_is_no_stop_of_the_robot():
    events = Events()
    told = kept(events, StopLatched, EpisodeEnded)
    summary = run(PointEnv(), Helper(), events, may_step=lambda: False)
    assert told == [EpisodeEnded(summary, "interrupted")]


class Broken:
    """Fails at its first step, and listens to two kinds of event."""

    def __init__(self, events):
        self.steps = self.ends = 0
        events.subscribe(StepEnded, self.on_step)
        events.subscribe(EpisodeEnded, self.on_end)

    def on_step(self, event):
        self.steps += 1
        raise RuntimeError("on purpose")

    def on_end(self, event):
        self.ends += 1


def test_a_subscriber_that_raises_is_reported_once_dropped_and_stops_nothing(caplog):
    events = Events()
    broken, sound = Broken(events), kept(events, StepEnded)
    quiet = run(PointEnv(), Helper(), Events())
    summary = run(PointEnv(), Helper(), events)
    assert summary == quiet
    assert (broken.steps, broken.ends, len(sound)) == (1, 0, summary.steps)
    line = "Broken: failed on StepEnded (RuntimeError: on purpose); it gets no further events"
    assert [record.message for record in caplog.records] == [line]


def test_a_subscriber_may_emit_and_unsubscribe_while_it_is_called():
    events, heard = Events(), []

    def once(event):
        heard.append(event.reason)
        events.unsubscribe(once)
        events.emit(Waiting("nested"))

    events.subscribe(Waiting, once)
    events.emit(Waiting("outer"))
    assert heard == ["outer"]


def test_no_lock_is_held_while_a_subscriber_is_called():
    events, inside, leave, heard = Events(), threading.Event(), threading.Event(), []

    def slow(event):
        inside.set()
        assert leave.wait(20.0)

    events.subscribe(Waiting, slow)
    thread = threading.Thread(target=events.emit, args=(Waiting("slow"),))
    thread.start()
    assert inside.wait(20.0)
    events.subscribe(StopCleared, heard.append)  # would hang if the emitter held the lock
    events.emit(StopCleared("stop"))
    assert heard == [StopCleared("stop")]
    leave.set()
    thread.join()
