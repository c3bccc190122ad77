import pytest

from steadyhand.actor.web.lease import Lease
from steadyhand.runtime.clock import FakeClock

SILENCE_S = 0.3
LONG_NS = round(SILENCE_S * 1e9) + 1


class Told:
    def __init__(self):
        self.calls = []

    def arrive(self):
        self.calls.append("arrive")

    def leave(self, reason, polite):
        self.calls.append("polite" if polite else "lost")


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def lease(told, clock):
    return Lease(SILENCE_S, clock, told)


def test_one_page_at_a_time_operates(lease, told):
    assert lease.take("a")
    assert not lease.take("b")
    assert lease.take("a")
    assert lease.is_held_by("a")
    assert not lease.note_life("b")
    assert told.calls == ["arrive"]


@pytest.mark.parametrize(("end", "call"), [("give_up", "polite"), ("drop", "lost")])
def test_the_lease_ends_with_its_page_alone(lease, told, end, call):
    lease.take("a")
    getattr(lease, end)("b")
    assert told.calls == ["arrive"]
    getattr(lease, end)("a")
    getattr(lease, end)("a")
    assert told.calls == ["arrive", call]
    assert lease.take("b")


def test_a_silent_page_loses_it_once_and_gets_it_back_with_a_sign_of_life(lease, told, clock):
    lease.take("a")
    clock.advance_ns(LONG_NS - 1)
    lease.check()
    assert lease.note_life("a")
    clock.advance_ns(LONG_NS)
    lease.check()
    lease.check()
    assert not lease.taken
    assert lease.note_life("a")
    assert told.calls == ["arrive", "lost", "arrive"]


def test_another_page_may_take_it_from_a_silent_one(lease, told, clock):
    lease.take("a")
    clock.advance_ns(LONG_NS)
    lease.check()
    assert lease.take("b")
    assert not lease.note_life("a")
    lease.drop("a")
    assert lease.is_held_by("b")
    assert told.calls == ["arrive", "lost", "arrive"]
