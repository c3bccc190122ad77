from threading import Thread

import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import Protocol, evaluate
from steadyhand.actor.events import Events, VerdictGiven, Waiting
from steadyhand.actor.operator_label import OperatorLabel
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from tests.events_kit import kept
from tests.unit.actor.point_env import Helper, PointEnv
from tests.unit.actor.policy_kit import walking_runner


class StoppableEnv(PointEnv):
    def stop(self, reason):
        self.stop_reason = reason.value


class Labelled:
    """An evaluation whose operator answers every wait for a label with the next verdict of a list."""

    def __init__(self, verdicts, env=None):
        self.verdicts, self.events = list(verdicts), Events()
        self.motion = MotionEnable(self.events)
        self.motion.enable()
        self.env = SupervisedEnv(env or StoppableEnv(), self.motion, lambda: False, self.events)
        self.ended = StopFlag()
        self.label = OperatorLabel(self.motion, self.events, self.ended)
        self.events.subscribe(Waiting, self.answer)
        self.threads = []

    def answer(self, event):
        if "label" in event.reason:
            # As from the thread of a device: the wait has begun when it comes.
            thread = Thread(target=self.press, args=(self.verdicts.pop(0),))
            thread.start()
            self.threads.append(thread)

    def press(self, verdict):
        if verdict == "stop":
            self.motion.disable("person_stop")
        elif verdict == "end":
            self.ended.set()
        else:
            self.motion.judge(verdict)

    def run(self, episodes, **protocol):
        schema = env_schema(self.env)
        result = evaluate(
            self.env,
            schema,
            walking_runner(),
            episodes,
            0,
            Helper(),
            stop=self.ended,
            events=self.events,
            protocol=Protocol(label=self.label, **protocol),
        )
        for thread in self.threads:
            thread.join(5)
        return result


def test_labels_stand_beside_the_machines_verdicts():
    result = Labelled(["success", "failure", "success"]).run(3)
    assert [row["machine_success"] for row in result.rows] == [True] * 3
    assert [row["operator_success"] for row in result.rows] == [True, False, True]
    assert (result.successes, result.labelled, result.agreed, result.judged_by) == (2, 3, 2, "operator")


def test_an_episode_that_the_operator_discards_is_run_again_and_counted():
    one = Labelled(["reset", "reset", "success"])
    result = one.run(1)
    assert (result.episodes, result.rows[0]["discarded_attempts"]) == (1, 2)
    assert len(set(one.env.unwrapped.seeds)) == 1


def test_a_stop_during_the_wait_keeps_the_machines_verdict():
    one = Labelled(["stop"])
    result = one.run(1)
    assert (result.rows[0]["operator_success"], result.rows[0]["success"]) == (None, True)


def test_an_episode_whose_label_was_never_given_does_not_count():
    done = {}
    result = Labelled(["success", "end"]).run(3, keep=done.__setitem__)
    assert (result.episodes, list(done)) == (1, [0])


def test_a_verdict_that_ended_the_episode_is_the_label():
    one = Labelled([])
    seen = kept(one.events, VerdictGiven)
    one.events.subscribe(Waiting, lambda event: pytest.fail(event.reason) if event.reason else None)

    class Quick(StoppableEnv):
        def reset(self, **kwargs):
            found = super().reset(**kwargs)
            one.motion.judge("failure")
            return found

    one.env = SupervisedEnv(Quick(), one.motion, lambda: False, one.events)
    result = one.run(1)
    assert [event.verdict for event in seen] == ["failure"]
    assert (result.rows[0]["operator_success"], result.labelled) == (False, 1)
