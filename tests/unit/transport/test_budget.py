from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.budget import Budget

S = 1_000_000_000


def test_the_last_of_the_budget_spends_it_for_that_peer_alone():
    budget = Budget(3, 60.0, 10, FakeClock())
    assert [budget.spend("bad") for _ in range(5)] == [False, False, True, False, False]
    assert budget.is_spent("bad")
    assert not budget.spend("good")
    assert not budget.is_spent("good")


def test_all_is_forgiven_after_the_window():
    clock = FakeClock()
    budget = Budget(3, 60.0, 10, clock)
    for _ in range(3):
        budget.spend("bad")
    clock.advance_ns(60 * S - 1)
    assert budget.is_spent("bad")
    clock.advance_ns(1)
    assert not budget.is_spent("bad")
    assert not budget.spend("bad")


def test_what_is_rare_never_spends_it():
    clock = FakeClock()
    budget = Budget(3, 60.0, 10, clock)
    for _ in range(20):
        assert not budget.spend("clumsy")
        clock.advance_ns(31 * S)


def test_the_memory_is_bounded_and_who_was_last_is_remembered():
    budget = Budget(1, 60.0, 10, FakeClock())
    for peer in range(1000):
        budget.spend(peer)
        budget.spend("again")
    assert len(budget._times) == 10
    assert budget.is_spent("again")
    assert not budget.is_spent(0)
