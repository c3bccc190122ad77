import logging

import pytest

from benchmarks import day_world
from benchmarks.day_world import FAULTS, live
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.quarantine import Quarantine
from tests.faults.simulated_world import ViolationError

STEPS = 400


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_a_day_has_every_fault_and_an_account_without_a_violation():
    found = sum((live(seed, STEPS) for seed in range(3)), day_world.Tally())
    assert found.violations == 0
    assert found.recorded >= 3 * STEPS
    assert found.recorded == found.stored + found.quarantined
    assert set(FAULTS) <= set(found.faults)


def test_a_seed_gives_the_same_day_again():
    assert live(5, STEPS) == live(5, STEPS)


def test_without_the_comparison_of_numbers_a_day_fails_and_names_its_seed(monkeypatch):
    monkeypatch.setattr(ReceiverState, "news", lambda self, name, first, count: range(first, first + count))
    with pytest.raises(ViolationError, match="seed "):
        [live(seed, STEPS) for seed in range(5)]


def test_records_that_are_placed_by_an_actor_that_forgot_them_are_misnamed(monkeypatch):
    monkeypatch.setattr(Quarantine, "placed", lambda self, name, lost: lost)
    assert sum(live(seed, STEPS).misnamed for seed in range(4)) > 0
