import numpy as np
import pytest
from gymnasium import Env, spaces

from steadyhand.actor.marks import MarkedEnv, PersonMarks, TaskMarks, press_of


class Scripted(Env):
    """Gives the planned (reward, terms, info) of each step."""

    observation_space = spaces.Dict({"goal": spaces.Box(-1, 1, (1,), np.float32)})
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, *plan):
        self._plan, self._step = plan, 0

    def reset(self, *, seed=None, options=None):
        self._step = 0
        return {}, {}

    def step(self, action):
        reward, info = self._plan[self._step]
        self._step += 1
        ends = self._step == len(self._plan)
        return {}, reward, False, ends, {"reward_terms": {}, "stop_reason": "", **info}


def episode(env):
    env.reset()
    found = []
    while not (found and (found[-1][2] or found[-1][3])):
        found.append(env.step(np.zeros(1, np.float32)))
    return [(reward, terminated, truncated, info["success"]) for _, reward, terminated, truncated, info in found]


def test_an_episode_goes_on_until_the_success_was_shown_often_enough():
    env = MarkedEnv(Scripted(*[(r, {}) for r in (0, 1, 0, 1, 1, 1)]), TaskMarks(["success"]), 1, positives=3)
    assert episode(env) == [(0.0, False, False, False)] * 4 + [(1.0, True, False, True)]
    assert env.stages == [0, 0, 1, 0, 1, 1]
    assert episode(env)[-1] == (1.0, True, False, True)
    assert len(env.stages) == 6


@pytest.mark.parametrize(("last", "success"), [(1, True), (0, False)])
def test_an_episode_whose_time_is_over_is_a_success_only_if_it_shows_it_then(last, success):
    env = MarkedEnv(Scripted((0, {}), (1, {}), (last, {})), TaskMarks(["success"]), 1, positives=9)
    assert episode(env)[-1] == (float(success), success, not success, success)


@pytest.mark.parametrize("end", [{"stop_reason": "person_stop"}, {"discarded": True}])
def test_a_stopped_or_discarded_episode_is_not_terminated_as_a_success(end):
    env = MarkedEnv(Scripted((1, {}), (1, end)), TaskMarks(["success"]), 1, positives=9)
    assert episode(env)[-1][1:3] == (False, True)


def test_a_persons_presses_are_stages_that_hold_until_the_next_press():
    marks = PersonMarks(2)
    press = press_of(marks)
    found = []
    for verdict in ("failure", "success", None, "success", "success", "failure", "reset", None):
        if verdict is not None:
            press(verdict)
        found.append(marks.stage(0.0, {}))
    assert found == [0, 1, 1, 2, 2, 1, 1, 1]
    marks.begin()
    assert marks.stage(0.0, {}) == 0


def test_the_task_s_terms_are_the_stages_before_the_success():
    marks = TaskMarks(["grasped", "lifted", "placed"])
    assert press_of(marks) is None
    terms = [{"grasped": 0.0, "lifted": 0.0}, {"grasped": 1.0, "lifted": 0.0}, {"grasped": 0.0, "lifted": 1.0}]
    assert [marks.stage(0.0, each) for each in terms] == [0, 1, 2]
    assert marks.stage(1.0, terms[0]) == 3
