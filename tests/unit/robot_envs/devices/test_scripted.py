import numpy as np

from steadyhand.robot_envs.devices.scripted import CorrectorConfig, HandConfig, ScriptedCorrector, ScriptedDemonstrator

QUIET = HandConfig(0.0, 0.0)
CONFIG = CorrectorConfig(QUIET, 15, 0.002, 0.5, (2, 3), (5, 15), 0.010)
POLICY = np.zeros(2, np.float32)


class Ahead:
    def reset(self, info):
        pass

    def act(self, observation, info):
        return np.ones(2, np.float32)


def engaged(corrector, progress) -> list[bool]:
    corrector.reset({})
    return [corrector.act({}, {"progress": p}, POLICY) is not None for p in progress]


def test_policy_that_gets_on_is_left_alone():
    assert not any(engaged(ScriptedCorrector(Ahead(), CONFIG, 0), np.linspace(0.1, 0.02, 80)))


def test_helps_after_a_stall_and_a_reaction_time_for_5_to_15_steps():
    for seed in range(20):
        steps = engaged(ScriptedCorrector(Ahead(), CONFIG, seed), [0.05] * 60)
        first = steps.index(True)
        length = steps[first:].index(False)
        assert 15 + 2 <= first <= 16 + 3
        assert 5 <= length <= 15


def test_lets_go_when_the_rest_is_small():
    corrector = ScriptedCorrector(Ahead(), CONFIG, 0)
    steps = engaged(corrector, [0.05] * 20 + [0.009] * 10)
    assert any(steps[:21])
    assert not any(steps[21:])


def test_without_progress_it_helps_who_disagrees_with_the_expert():
    def helps(policy_action) -> bool:
        corrector = ScriptedCorrector(Ahead(), CONFIG, 0)
        corrector.reset({})
        return any(corrector.act({}, {}, policy_action) is not None for _ in range(40))

    assert helps(-np.ones(2, np.float32))
    assert not helps(np.ones(2, np.float32))


def test_hand_shakes_within_bounds_and_repeats_under_its_seed():
    def actions(seed):
        demonstrator = ScriptedDemonstrator(Ahead(), HandConfig(0.3, 0.5), seed)
        demonstrator.reset({})
        return np.array([demonstrator.act({}, {}, None) for _ in range(50)])

    assert np.array_equal(actions(1), actions(1))
    assert not np.array_equal(actions(1), actions(2))
    assert np.abs(actions(1)).max() <= 1.0
    assert actions(1).std() > 0.1
