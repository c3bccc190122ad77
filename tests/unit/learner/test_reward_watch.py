import logging

import numpy as np
import pytest

from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.learner.reward_watch import RewardWatch
from steadyhand.learner.target_range import reward_steps
from steadyhand.runtime.config import compose
from tests.unit.learner.logs import Phase, reader_of, session_id, write_episode, writer_in


@pytest.fixture
def said():
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("steadyhand.learner.reward_watch")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def algo(*overrides):
    return find_algorithm(compose(["task=reach", "algo=rlpd", *overrides])["algo"]).settings


class Run:
    """Demonstrations and practice in one store, in two logs."""

    def __init__(self, folder):
        self.demos = writer_in(folder / "demos", 1)
        self.practice = writer_in(folder / session_id(2), 2)
        self.store = ReplayStore(10_000)
        self.episode = 0

    def write(self, writer, reward, ending="truncated", phase=Phase.TRAIN):
        write_episode(writer, self.episode, len(reward), ending, phase, reward=reward)
        self.episode += 1

    def show(self):
        self.store.advance(self.store.refresh([reader_of(self.demos), reader_of(self.practice)]))
        return self.store


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_practice_that_the_clip_flattens_is_said_once(run, said):
    watch = RewardWatch(algo())
    for _ in range(5):
        run.write(run.practice, [-1, -1, 0, 0])
        watch.look(run.show())
    assert len(said) == 1
    assert said[0].startswith("practice teaches little: algo.target_clip=[0,1]: ")


def test_rewards_that_mean_something_else_than_the_demonstrations_are_said_once(run, said):
    run.write(run.demos, [0, 0, 1], "terminated", Phase.DEMO)
    watch = RewardWatch(algo("algo.target_clip=null"))
    run.write(run.practice, [-1, -1, 0])
    watch.look(run.show())
    run.write(run.practice, [-1] * 9)
    watch.look(run.show())
    assert len(said) == 1
    assert "expected 0 and 1 as in the demonstrations, found -1 and 0" in said[0]


def test_nothing_is_said_of_practice_like_the_demonstrations(run, said):
    run.write(run.demos, [0, 0, 1], "terminated", Phase.DEMO)
    watch = RewardWatch(algo())
    watch.look(run.show())  # before anything was practised
    for reward, ending in (([0, 0, 0], "truncated"), ([0, 1], "terminated"), ([0, 0], "terminated")):
        run.write(run.practice, reward, ending)
        watch.look(run.show())
    assert said == []


def test_steps_of_interleaved_logs_are_put_in_order(run):
    run.write(run.demos, [0, 0, 1], "terminated", Phase.TRAIN)
    run.show()
    run.write(run.practice, [0, 5])
    run.show()
    run.write(run.demos, [0, 7], "terminated", Phase.TRAIN)
    store = run.show()
    steps = reward_steps(store, store.online, 0.5)
    assert steps.reward.tolist() == [0, 0, 1, 0, 7, 0, 5]
    assert steps.follows.tolist() == [True, True, False, True, False, True, False]
    np.testing.assert_allclose(steps.discount, [0.5, 0.5, 0, 0.5, 0, 0.5, 0.5])
