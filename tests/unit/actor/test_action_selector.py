import numpy as np

from steadyhand.actor.action_selector import ActionSelector, Explorer
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.runtime.clock import FakeClock
from tests.unit.actor.point_env import Helper, PointEnv, arbiter
from tests.unit.actor.policy_kit import SPEC, observation, weights_of


def make_runner(ready=True):
    runner = PolicyRunner(SPEC, env_schema(PointEnv()), FakeClock(), seed=0)
    if ready:
        runner.offer(weights_of(3))
    return runner


def test_the_policy_proposes_and_the_person_disposes():
    runner = make_runner()
    selector = ActionSelector(Helper(lambda step: step == 1), arbiter(), runner, deterministic=True)
    selector.begin(observation(0.1), {})
    alone, helped = (selector.select(observation(0.1), {}, step) for step in range(2))
    assert (alone.has_human, helped.has_human) == (False, True)
    np.testing.assert_array_equal(alone.action, runner.act(True))
    np.testing.assert_array_equal(helped.policy_action, runner.act(True))
    np.testing.assert_array_equal(helped.action, [0.5, 0.5])
    assert selector.policy_version == 3


def test_the_policy_sees_what_the_person_did():
    runner = make_runner()
    selector = ActionSelector(Helper(), arbiter(), runner, deterministic=True)
    selector.begin(observation(0.1), {})
    before = selector.select(observation(0.1), {}, 0).policy_action
    selector.observe(observation(0.9))
    assert (selector.select(observation(0.9), {}, 1).policy_action != before).any()


def test_a_demonstration_needs_no_policy():
    selector = ActionSelector(Helper(lambda step: step > 0), arbiter())
    selector.begin(observation(0.1), {})
    selector.observe(observation(0.1))
    still, shown = (selector.select(observation(0.1), {}, step) for step in range(2))
    assert (still.action == 0).all()
    assert (still.has_human, shown.has_human) == (False, True)
    assert shown.policy_action is None
    assert selector.policy_version == -1


def test_exploration_is_bounded_and_ends_with_the_first_weights():
    runner = make_runner(ready=False)
    explorer = Explorer(2, 0.5, seed=1)
    selector = ActionSelector(Helper(lambda step: False), arbiter(), runner, True, explorer)
    selector.begin(observation(0.1), {})
    actions = np.stack([selector.select(observation(0.1), {}, step).action for step in range(50)])
    assert actions.dtype == np.float32
    assert 0.3 < np.abs(actions).max() <= 0.5
    assert selector.policy_version == -1
    runner.offer(weights_of(1))
    np.testing.assert_array_equal(selector.select(observation(0.1), {}, 0).action, runner.act(True))
