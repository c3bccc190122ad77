"""F23: two sessions of one actor never write side by side; the second is told who holds the id, and gets it later."""

from contextlib import suppress
from itertools import pairwise

import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.intake import Intake
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.wire import Accept, Reject
from tests.transport_kit import CONFIG, SCHEMA, hello, intake_in, record, session_id, write_episode, writer_in

TTL_NS = round(CONFIG.liveness_s * 1e9)
TICK_NS = TTL_NS // 10


class Actor:
    """One session, which appends to its log and sends."""

    def __init__(self, folder, intake: Intake, number: int, actor_id: str = "arm") -> None:
        self.number, self.actor_id = number, actor_id
        self.writer = writer_in(folder / f"actor{number}", number, actor_id=actor_id)
        reader = LogReader(self.writer.folder)
        reader.close()
        self.uplink = LocalUplink(intake, reader)

    def connect(self) -> Accept:
        return self.uplink.connect(hello(self.number, actor_id=self.actor_id), 1.0)

    def step(self) -> None:
        self.writer.append(record(self.number, step=self.writer.next_seq))
        self.uplink.notify()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def intake(tmp_path, clock) -> Intake:
    return intake_in(tmp_path / "learner", clock=clock)


@pytest.fixture
def order(intake) -> list[str]:
    """The sessions in the order in which their records were stored, one entry a record."""
    order: list[str] = []
    intake.sinks.append(lambda session, first, end: order.extend([session] * (end - first)))
    return order


def changes(order: list[str]) -> int:
    """Return how often the records changed from one session to another."""
    return sum(a != b for a, b in pairwise(order))


def two_at_once(tmp_path, intake: Intake, clock: FakeClock) -> Actor:
    """Let two sessions of one id try to write by turns for longer than the lease; return the first."""
    first, second = Actor(tmp_path, intake, 1), Actor(tmp_path, intake, 2)
    first.connect()
    for _ in range(30):
        first.step()
        with suppress(Rejected):
            second.connect()
        second.step()
        clock.advance_ns(TICK_NS)
        intake.expire()
    return first


def test_the_second_is_refused_naming_the_holder_as_long_as_the_first_lives(tmp_path, intake, clock, order):
    first = two_at_once(tmp_path, intake, clock)
    assert session_id(1) in intake.hello(hello(2)).reasons[0]
    assert changes(order) == 0
    assert set(order) == {session_id(1)}
    assert intake.next_seq(session_id(1)) == first.writer.next_seq
    assert intake.next_seq(session_id(2)) == 0


def test_without_the_lease_they_would_write_side_by_side(tmp_path, intake, clock, order, monkeypatch):
    monkeypatch.setattr(Intake, "_objections", lambda self, hello: [])
    two_at_once(tmp_path, intake, clock)
    assert changes(order) > 10


def test_after_the_lease_the_second_is_accepted_and_the_first_is_not_heard(
    tmp_path, intake, clock, order, record_property
):
    first, second = Actor(tmp_path, intake, 1), Actor(tmp_path, intake, 2)
    first.connect()
    first.step()  # its last sign of life
    waited_ns = 0
    while True:
        try:
            second.connect()
            break
        except Rejected:
            clock.advance_ns(TICK_NS)
            waited_ns += TICK_NS
            assert waited_ns <= TTL_NS
    record_property("take_over_s", waited_ns / 1e9)
    assert waited_ns == TTL_NS
    second.step()
    first.step()  # it wakes up: the id is somebody else's now
    assert not first.uplink.progress().connected
    second.step()
    assert order == [session_id(1), session_id(2), session_id(2)]
    with pytest.raises(UnknownSessionError):
        intake.heartbeat(session_id(1))


def test_the_first_gets_its_id_back_with_what_it_recorded_meanwhile(tmp_path, intake, clock, order):
    first, second = Actor(tmp_path, intake, 1), Actor(tmp_path, intake, 2)
    first.connect()
    clock.advance_ns(TTL_NS)
    second.connect()
    write_episode(first.writer, 1, 0, 5)
    second.step()
    first.uplink.notify()
    second.uplink.close()
    first.uplink.notify()
    assert order == [session_id(2)] + [session_id(1)] * 6
    assert intake.next_seq(session_id(1)) == 6


def test_a_hello_again_of_the_same_session_is_no_second_one(intake, clock):
    assert isinstance(intake.hello(hello(1)), Accept)
    clock.advance_ns(TTL_NS - 1)
    assert isinstance(intake.hello(hello(1)), Accept)
    clock.advance_ns(TTL_NS - 1)
    assert isinstance(intake.hello(hello(2)), Reject)


def test_other_ids_are_not_concerned(tmp_path, intake, clock, order):
    arm, leg = Actor(tmp_path, intake, 1), Actor(tmp_path, intake, 2, "leg")
    arm.connect()
    leg.connect()
    for _ in range(5):
        arm.step()
        leg.step()
        clock.advance_ns(TICK_NS)
    assert order == [session_id(1), session_id(2)] * 5


def test_the_lease_survives_neither_a_goodbye_nor_a_restart_of_the_learner(tmp_path, intake, clock):
    Actor(tmp_path, intake, 1).connect()
    intake.bye(session_id(1))
    assert isinstance(intake.hello(hello(2)), Accept)
    restarted = intake_in(tmp_path / "learner", clock=clock, required=SCHEMA)
    assert isinstance(restarted.hello(hello(3)), Accept)
