import threading

import numpy as np
import pytest

from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor.weights_loader import WeightsLoader
from steadyhand.runtime.clock import FakeClock
from tests.transport_kit import wait_until
from tests.unit.actor.policy_kit import SCHEMA, SPEC, not_finite, observation, spoiled, weights_of


@pytest.fixture
def runner():
    runner = PolicyRunner(SPEC, SCHEMA, FakeClock(), seed=0)
    runner.begin(observation(0.3))
    return runner


@pytest.fixture
def loader(runner):
    loader = WeightsLoader(runner, in_background=True)
    yield loader
    loader.close()


class Gate:
    """Lets checks go on only when told, and notes where they happen."""

    def __init__(self, runner) -> None:
        self.open, self.checked, self.threads = threading.Event(), [], set()
        check = runner.check

        def gated(weights, seen):
            assert self.open.wait(10.0)
            self.checked.append(weights.policy_version)
            self.threads.add(threading.current_thread().name)
            return check(weights, seen)

        runner.check = gated


def test_without_a_thread_weights_take_over_at_once(runner):
    loader = WeightsLoader(runner, in_background=False)
    loader.offer(weights_of(3))
    assert runner.policy_version == 3
    assert not loader.take()
    loader.close()


def test_the_old_policy_acts_until_the_new_one_has_been_checked_and_is_taken(runner, loader):
    runner.offer(weights_of(1, seed=1))
    old, gate = runner.act(True), Gate(runner)
    loader.offer(weights_of(2, seed=2))
    assert not loader.take()
    gate.open.set()
    wait_until(lambda: gate.checked == [2] and loader._sound is not None)
    assert runner.policy_version == 1
    np.testing.assert_array_equal(runner.act(True), old)
    assert loader.take()
    assert runner.policy_version == 2
    assert (runner.act(True) != old).any()
    assert gate.threads == {"weights"}
    assert not loader.take()


def test_only_the_newest_of_those_that_wait_is_looked_at(runner, loader):
    gate = Gate(runner)
    for version in range(1, 6):
        loader.offer(weights_of(version))
    gate.open.set()
    wait_until(lambda: loader.take() and runner.policy_version == 5)
    assert len(gate.checked) <= 2  # the one that was being looked at, and the newest


def test_what_is_checked_stays_untouched_until_it_is_taken(runner, loader):
    loader.offer(weights_of(1, seed=1))
    wait_until(lambda: loader._sound is not None)
    loader.offer(weights_of(2, seed=2))
    assert loader.take()
    assert runner.policy_version == 1
    expected = PolicyRunner(SPEC, SCHEMA, FakeClock(), seed=0)
    expected.begin(observation(0.3))
    expected.offer(weights_of(1, seed=1))
    np.testing.assert_array_equal(runner.act(True), expected.act(True))
    wait_until(loader.take)
    assert runner.policy_version == 2


def test_bad_weights_are_counted_and_the_next_ones_taken(runner, loader):
    loader.offer(spoiled(not_finite))
    wait_until(lambda: runner.rejected == 1)
    assert not loader.take()
    loader.offer(weights_of(9))
    wait_until(loader.take)
    assert runner.policy_version == 9


def test_they_are_tried_out_on_what_was_seen_when_they_came(runner, loader):
    gate = Gate(runner)
    canary = []
    runner._standby.act = lambda seen, deterministic: canary.append(seen["position"].copy()) or np.zeros(2)
    loader.offer(weights_of(1))
    runner.observe(observation(7.0))
    gate.open.set()
    wait_until(lambda: canary)
    np.testing.assert_array_equal(canary[0], np.full((3, 2), 0.3, np.float32))


def test_what_ends_the_thread_is_raised_where_the_robot_is(runner, loader):
    def fail(weights, seen):
        raise MemoryError("no room for a second network")

    runner.check = fail
    loader.offer(weights_of(1))
    wait_until(lambda: loader._failure is not None)
    with pytest.raises(MemoryError, match="second network"):
        loader.take()


def test_closing_ends_the_thread(runner):
    loader = WeightsLoader(runner, in_background=True)
    loader.close()
    assert "weights" not in {thread.name for thread in threading.enumerate()}
