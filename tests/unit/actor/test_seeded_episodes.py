from itertools import islice

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.seeded_episodes import seeded_episodes
from steadyhand.actor.stop_flag import StopFlag
from tests.unit.actor.point_env import Helper, ParkedEnv, PointEnv, Tired, arbiter


def episodes_of(env, bystander, seed=0, stop=lambda: False, episodes=None):
    loop = ControlLoop(env, env_schema(env), lambda record: None)
    return seeded_episodes(loop, ActionSelector(Helper(), arbiter()), bystander, seed, stop, episodes)


def test_a_number_of_them_or_without_end():
    env = PointEnv()
    assert [summary.episode_id for summary in episodes_of(env, Helper(), episodes=3)] == [0, 1, 2]
    assert len(list(islice(episodes_of(env, Helper()), 8))) == 8
    assert env.seeds[:3] == env.seeds[3:6]


def test_an_interrupted_episode_is_not_yielded():
    stop = StopFlag()
    seen = []
    for summary in episodes_of(PointEnv(), Helper(), stop=stop):
        seen.append(summary)
        stop.set()
    assert len(seen) == 1


def test_after_a_stop_the_bystander_is_asked_until_it_is_safe():
    env, bystander = PointEnv(), Helper()
    env.stop_at, bystander.refusals = 0, 2
    found = list(episodes_of(env, bystander, episodes=2))
    assert [summary.stop_reason for summary in found] == ["force_limit"] * 2
    assert len(bystander.asked) == 2 + 2


def test_a_stop_stays_latched_when_the_wait_is_ended():
    env, bystander, stop = PointEnv(), Helper(), StopFlag()
    env.stop_at, bystander.refusals = 0, 10**9
    for _ in episodes_of(env, bystander, stop=stop):
        stop.set()
    assert env.stop_reason == "force_limit"


def test_a_break_parks_and_the_episode_begins_anew():
    env, bystander = ParkedEnv(), Tired()
    bystander.parks = True
    found = list(episodes_of(env, bystander, episodes=2))
    assert [summary.episode_id for summary in found] == [0, 1]
    assert env.calls == ["park", "preflight"]
    asked = []

    def asks_after_the_first_step():
        asked.append(len(env.actions))
        bystander.parks = len(asked) == 3
        return False

    env.calls.clear()
    env.seeds.clear()
    found = list(episodes_of(env, bystander, episodes=2, stop=asks_after_the_first_step))
    assert [summary.episode_id for summary in found] == [0, 1]
    assert env.calls == ["park", "preflight"]
    assert env.seeds[0] == env.seeds[1] != env.seeds[2], "the interrupted episode is the one that is begun anew"


def test_whoever_ends_the_process_parks_nothing():
    env, bystander = ParkedEnv(), Tired()
    bystander.parks = True
    assert list(episodes_of(env, bystander, stop=lambda: True)) == []
    assert (env.calls, env.seeds) == ([], [])
