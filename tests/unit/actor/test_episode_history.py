import pytest

from steadyhand.actor.config import GraduationConfig
from steadyhand.actor.episode_history import History

GRADUATION = GraduationConfig(window=4, success=0.75, intervention_share=0.1, min_env_steps=100)


def row(success, human_steps=0, steps=10, stop_reason=""):
    return {
        "success": success,
        "helped": human_steps > 0,
        "human_steps": human_steps,
        "steps": steps,
        "stop_reason": stop_reason,
    }


def test_success_alone_and_with_help_are_shares_of_all_episodes():
    history = History([row(True), row(True, 5), row(False), row(False, 5)])
    assert history.success_alone(20) == 0.25
    assert history.success_helped(20) == 0.25
    assert history.intervention_rate(20) == 0.5
    assert history.intervention_share() == 0.25


def test_only_the_newest_episodes_count():
    history = History([row(True, 5)] * 5)
    for _ in range(50):
        history.add(row(False, 1))
    assert history.success_helped(20) == 0.0
    assert history.intervention_share() == pytest.approx(0.1)


def test_without_episodes_all_shares_are_zero():
    history = History()
    assert (history.success_alone(20), history.intervention_share(), history.intervention_rate(5)) == (0, 0, 0)


def test_an_interrupted_episode_says_nothing():
    assert History([row(True), row(False, stop_reason="interrupted")]).success_alone(20) == 1.0


def test_graduation_looks_at_the_newest_unaided_episodes():
    history = History([row(False)] * 9 + [row(True)] * 3)
    assert history.graduated(GRADUATION, 100)
    assert not history.graduated(GRADUATION, 99)
    history.add(row(False))
    history.add(row(False))
    assert not history.graduated(GRADUATION, 1000)


def test_graduation_needs_a_full_window_of_unaided_episodes():
    assert not History([row(True)] * 3 + [row(True, 1, 100)]).graduated(GRADUATION, 1000)


def test_no_graduation_with_much_help():
    history = History([row(True)] * 4)
    assert history.graduated(GRADUATION, 1000)
    history.add(row(True, 9))
    assert not history.graduated(GRADUATION, 1000)
