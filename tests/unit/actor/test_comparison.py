import pytest

from steadyhand.actor.comparison import compare, hidden_order
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import Protocol
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.starts import seeded_starts
from steadyhand.actor.stop_flag import StopFlag
from tests.events_kit import kept
from tests.unit.actor.point_env import Helper, PointEnv
from tests.unit.actor.policy_kit import walking_runner


def run(skills, pairs=30, env=None, order_seed=5, stop=lambda: False, events=None, **protocol):
    env = env or PointEnv()
    runners = tuple(walking_runner(skilled) for skilled in skills)
    return compare(
        env,
        env_schema(env),
        runners,
        seeded_starts(0, pairs),
        order_seed=order_seed,
        alpha=0.05,
        bystander=Helper(),
        protocol=Protocol(**protocol),
        stop=stop,
        events=events,
    )


@pytest.mark.parametrize(("skills", "verdict"), [((True, False), "first"), ((False, True), "second")])
def test_a_clear_difference_ends_it_early(skills, verdict):
    env = PointEnv()
    found = run(skills, env=env)
    assert (found.test.verdict, found.is_finished) == (verdict, True)
    assert 8 <= found.test.pairs < 20
    assert env.seeds[0::2] == env.seeds[1::2], "both policies begin from the same start"
    better, worse = (found.first, found.second) if verdict == "first" else (found.second, found.first)
    assert better.success_rate == 1.0
    assert worse.success_rate < 0.5
    assert better.episodes == worse.episodes == found.test.pairs


def test_equal_policies_get_no_verdict():
    found = run((True, True), pairs=20)
    assert (found.test.verdict, found.is_finished) == ("", True)
    assert found.test.pairs == 13, "after 13 equal pairs of 20 no verdict is in reach"


def test_the_order_is_random_and_hidden():
    order = hidden_order(1, 200)
    assert 70 < sum(order) < 130
    assert order != hidden_order(2, 200)
    events = Events()
    ended = kept(events, EpisodeEnded)
    run((True, False), events=events)
    assert {event.summary.policy_version for event in ended} == {0}


def test_the_order_does_not_change_the_result():
    assert run((True, False), order_seed=1).test == run((True, False), order_seed=2).test


def test_an_interrupted_pair_is_finished_later():
    whole, stop, done = run((True, False)), StopFlag(), {}

    def keep(index, episode):
        done[index] = episode
        if len(done) == 5:
            stop.set()

    part = run((True, False), stop=stop, keep=keep)
    assert (part.is_finished, part.test.pairs, len(done)) == (False, 2, 5)
    env = PointEnv()
    rest = run((True, False), env=env, done=dict(done))
    assert rest == whole
    assert len(env.seeds) == 2 * whole.test.pairs - 5
