from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.rate_limit import RateLimit

S = 1_000_000_000


def test_the_last_of_the_budget_spends_it_for_that_peer_alone():
    limit = RateLimit(3, 60.0, 10, FakeClock())
    assert [limit.count("bad") for _ in range(5)] == [False, False, True, False, False]
    assert limit.exceeded("bad")
    assert not limit.count("good")
    assert not limit.exceeded("good")


def test_all_is_forgiven_after_the_window():
    clock = FakeClock()
    limit = RateLimit(3, 60.0, 10, clock)
    for _ in range(3):
        limit.count("bad")
    clock.advance_ns(60 * S - 1)
    assert limit.exceeded("bad")
    clock.advance_ns(1)
    assert not limit.exceeded("bad")
    assert not limit.count("bad")


def test_what_is_rare_never_spends_it():
    clock = FakeClock()
    limit = RateLimit(3, 60.0, 10, clock)
    for _ in range(20):
        assert not limit.count("clumsy")
        clock.advance_ns(31 * S)


def test_the_memory_is_bounded_and_who_was_last_is_remembered():
    limit = RateLimit(1, 60.0, 10, FakeClock())
    for peer in range(1000):
        limit.count(peer)
        limit.count("again")
    assert len(limit._times) == 10
    assert limit.exceeded("again")
    assert not limit.exceeded(0)
