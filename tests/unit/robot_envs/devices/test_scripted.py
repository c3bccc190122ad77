from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.devices.scripted import CorrectorConfig, HandConfig, ScriptedCorrector, ScriptedDemonstrator

QUIET = HandConfig(0.0, 0.0, None)
CONFIG = CorrectorConfig(QUIET, 15, 0.002, 0.5, 1.3, (2, 3), (5, 15), 0.010, 0.0)
POLICY = np.zeros(2, np.float32)


class Robot:
    """An arm with two motions and a gripper, as the scripted person sees it."""

    gripper_entries = (2,)
    motion_entries = np.array([True, True, False])

    def __init__(self):
        self.commanded_grippers = np.ones(1)


class Grasp:
    """Approaches, closes and waits, carries, opens and waits."""

    ACTIONS = [(0.5, 0.0, 1.0)] * 3 + [(0.0, 0.0, -1.0)] * 6 + [(0.0, 0.5, -1.0)] * 3 + [(0.0, 0.0, 1.0)] * 5

    def reset(self, info):
        self.left = iter(self.ACTIONS)

    def act(self, observation, info):
        return np.array(next(self.left), np.float32)


class Ahead:
    def reset(self, info):
        pass

    def act(self, observation, info):
        return np.ones(2, np.float32)


def engaged(corrector, progress) -> list[bool]:
    corrector.reset({})
    return [corrector.act({}, {"progress": p}, POLICY) is not None for p in progress]


def test_policy_that_gets_on_is_left_alone():
    assert not any(engaged(ScriptedCorrector(Ahead(), Robot(), CONFIG, 0), np.linspace(0.1, 0.02, 80)))


def test_helps_after_a_stall_and_a_reaction_time_for_5_to_15_steps():
    for seed in range(20):
        steps = engaged(ScriptedCorrector(Ahead(), Robot(), CONFIG, seed), [0.05] * 60)
        first = steps.index(True)
        length = steps[first:].index(False)
        assert 15 + 2 <= first <= 16 + 3
        assert 5 <= length <= 15


def test_lets_go_when_the_rest_is_small():
    corrector = ScriptedCorrector(Ahead(), Robot(), CONFIG, 0)
    steps = engaged(corrector, [0.05] * 20 + [0.009] * 10)
    assert any(steps[:21])
    assert not any(steps[21:])


def test_without_progress_it_helps_who_disagrees_with_the_expert():
    def helps(policy_action) -> bool:
        corrector = ScriptedCorrector(Ahead(), Robot(), CONFIG, 0)
        corrector.reset({})
        return any(corrector.act({}, {}, policy_action) is not None for _ in range(40))

    assert helps(-np.ones(2, np.float32))
    assert not helps(np.ones(2, np.float32))


def test_without_progress_it_helps_until_the_end_once_an_episode_takes_too_long():
    agreed = np.ones(2, np.float32)  # with the expert, so that nothing else is wrong
    corrector = ScriptedCorrector(Ahead(), Robot(), CONFIG, 0, usual_steps=20.0)
    for _ in range(2):  # each episode has its own time
        corrector.reset({})
        steps = [corrector.act({}, {}, agreed) is not None for _ in range(80)]
        first = steps.index(True)
        assert 26 + 2 <= first <= 27 + 3
        assert np.mean(steps[first:]) > 0.5
        assert any(steps[70:])
    corrector.reset({})
    assert not any(corrector.act({}, {"progress": p}, agreed) is not None for p in np.linspace(1.0, 0.02, 80))


def test_wrong_interventions_push_one_way_and_have_their_share():
    pushes = []
    for seed in range(400):
        corrector = ScriptedCorrector(Ahead(), Robot(), replace(CONFIG, wrong_share=0.3), seed)
        corrector.reset({})
        acts = [action for _ in range(30) if (action := corrector.act({}, {"progress": 0.05}, POLICY)) is not None]
        assert all(np.array_equal(action, acts[0]) for action in acts)
        pushes.append(acts[0])
    wrong = [action for action in pushes if not np.array_equal(action, (1.0, 1.0))]
    assert 0.23 < len(wrong) / len(pushes) < 0.37
    opposite = sum(np.array_equal(action, (-1.0, -1.0)) for action in wrong)
    assert 0.3 < opposite / len(wrong) < 0.7


def test_hand_shakes_within_bounds_and_repeats_under_its_seed():
    def actions(seed):
        demonstrator = ScriptedDemonstrator(Ahead(), Robot(), HandConfig(0.3, 0.5, None), seed)
        demonstrator.reset({})
        return np.array([demonstrator.act({}, {}, None) for _ in range(50)])

    assert np.array_equal(actions(1), actions(1))
    assert not np.array_equal(actions(1), actions(2))
    assert np.abs(actions(1)).max() <= 1.0
    assert actions(1).std() > 0.1


def grasped(press_steps):
    """The actions of a demonstration; None = the hand is at rest."""
    robot = Robot()
    person = ScriptedDemonstrator(Grasp(), robot, HandConfig(0.0, 0.0, press_steps), 0)
    person.reset({})
    actions = []
    for _ in Grasp.ACTIONS:
        action = person.act({}, {}, None)
        actions.append(None if action is None else float(action[2]))
        if actions[-1]:
            robot.commanded_grippers = np.array([actions[-1]])
    return actions


def test_a_held_button_is_down_while_the_state_is_wanted():
    assert grasped(None) == [1.0] * 3 + [-1.0] * 9 + [1.0] * 5


def test_a_short_press_is_three_steps_and_then_the_hand_moves_on_or_rests():
    close, carry = [-1.0] * 3 + [None] * 3, [0.0] * 3
    assert grasped(3) == [0.0] * 3 + close + carry + [1.0] * 3 + [None] * 2


def test_a_hand_on_a_task_without_a_gripper_never_rests():
    person = ScriptedDemonstrator(Ahead(), HandlessRobot(), HandConfig(0.0, 0.0, 3), 0)
    person.reset({})
    assert person.act({}, {}, None).tolist() == [1.0, 1.0]


class HandlessRobot(Robot):
    gripper_entries = ()
    motion_entries = np.zeros(2, np.bool_)  # a foreign environment: what its actions mean is not known


def test_a_corrector_lets_go_of_its_buttons_with_the_robot():
    robot = Robot()
    corrector = ScriptedCorrector(Closing(), robot, replace(CONFIG, hand=HandConfig(0.0, 0.0, 20)), 0)
    corrector.reset({})
    actions = [corrector.act({}, {"progress": 0.05}, POLICY) for _ in range(60)]
    robot.commanded_grippers = -robot.commanded_grippers  # the first correction has closed it
    entries = [float(action[2]) for action in actions if action is not None]
    assert set(entries) == {-1.0}
    later = [corrector.act({}, {"progress": 0.05}, POLICY) for _ in range(60)]
    begun = next(index for index, action in enumerate(actions[::-1]) if action is None)
    assert {float(action[2]) for action in later[begun:] if action is not None} == {0.0}


class Closing:
    def reset(self, info):
        pass

    def act(self, observation, info):
        return np.array([1.0, 1.0, -1.0], np.float32)


@pytest.mark.parametrize("steps", [0, -1])
def test_a_press_takes_at_least_a_step(steps):
    with pytest.raises(ValueError, match="press_steps"):
        HandConfig(0.1, 0.0, steps)
