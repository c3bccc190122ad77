import logging

import pytest

from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.actor.supervision.verdict_watch import VerdictWatch
from tests.reward_kit import REACH
from tests.robot_kit import make_robot_env

UNLIKELY = {"judged_by": "reward", "success": False, "reward_confidence": 0.99}
LIKELY = UNLIKELY | {"reward_confidence": 0.1}
CONFIRMED = UNLIKELY | {"success": True, "reward_confidence": 0.9}


@pytest.mark.parametrize(
    ("success", "info", "agrees"),
    [
        (True, UNLIKELY, False),
        (True, LIKELY, True),
        (True, CONFIRMED, True),
        (False, UNLIKELY, True),
        (False, LIKELY, False),
        (False, CONFIRMED, False),
    ],
)
def test_a_verdict_is_compared_with_the_reward_s_opinion(success, info, agrees):
    watch = VerdictWatch()
    watch.compare(success, info)
    assert watch.agreement == float(agrees)


def test_the_task_s_own_verdict_is_not_compared():
    watch = VerdictWatch()
    watch.compare(True, UNLIKELY | {"judged_by": "task"})
    assert watch.agreement is None


def test_a_fall_and_its_end_are_each_reported_once(caplog):
    watch = VerdictWatch()
    with caplog.at_level(logging.WARNING):
        for _ in range(7):
            watch.compare(True, UNLIKELY)
        for _ in range(30):
            watch.compare(False, UNLIKELY)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "at least 80 % of the operator's verdicts, found 0 of the newest 5" in lines[0]
    assert "agrees with the operator's verdicts again (80 %)" in lines[1]


def test_the_operator_s_buttons_are_compared(caplog):
    near = ("+reward.distance_m=0.0", "reward.entry_point=tests.reward_kit:Near")
    env, motion = make_robot_env(*REACH, *near), MotionEnable()
    supervised = SupervisedEnv(env, motion, lambda: False)
    motion.enable()
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(5):  # `Near` is sure, at 0.9, that there is no success
                supervised.reset(seed=0)
                motion.judge("success")
                assert supervised.step(env.action_space.sample() * 0)[2]
    finally:
        env.close()
    assert "found 0 of the newest 5" in caplog.text
