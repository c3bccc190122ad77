from dataclasses import replace

import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.log import LogWriter
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.session_limits import MAX_NEW_SESSIONS
from steadyhand.transport.wire import Accept, Reject
from tests.transport_kit import CONFIG, SCHEMA, WRIST, hello, intake_in, session_id

LIVENESS_NS = round(CONFIG.liveness_s * 1e9)


def test_a_second_session_of_a_living_actor_is_rejected_naming_the_holder(tmp_path):
    clock = FakeClock()
    intake = intake_in(tmp_path, clock=clock)
    intake.hello(hello(1))
    clock.advance_ns(LIVENESS_NS - 1)
    intake.heartbeat(session_id(1))
    clock.advance_ns(LIVENESS_NS - 1)
    answer = intake.hello(hello(2))
    assert isinstance(answer, Reject)
    assert session_id(1) in answer.reasons[0]
    assert isinstance(intake.hello(hello(3, actor_id="leg")), Accept)
    clock.advance_ns(1)
    assert isinstance(intake.hello(hello(2)), Accept)
    with pytest.raises(UnknownSessionError):
        intake.heartbeat(session_id(1))
    assert isinstance(intake.hello(hello(1)), Reject)


def test_a_session_that_said_goodbye_frees_its_actor(tmp_path):
    intake = intake_in(tmp_path)
    intake.hello(hello(1))
    intake.bye(session_id(1))
    intake.bye("unknown")
    assert not intake.is_open(session_id(1))
    assert isinstance(intake.hello(hello(2)), Accept)


def test_an_open_session_is_not_taken_over_with_another_schema(tmp_path):
    intake = intake_in(tmp_path)
    intake.hello(hello())
    more = replace(SCHEMA, observation=(*SCHEMA.observation, replace(WRIST, name="front")))
    assert "start a new session" in intake.hello(hello(schema=more)).reasons[0]
    assert "start a new session" in intake.hello(hello(actor_id="leg")).reasons[0]
    intake.bye(session_id(0))
    assert "new folder" in intake.hello(hello(schema=more)).reasons[0]
    assert isinstance(intake.hello(hello()), Accept)


def test_an_actor_cannot_fill_the_disk_with_sessions(tmp_path):
    clock = FakeClock()
    intake = intake_in(tmp_path, clock=clock)
    answers = []
    for number in range(MAX_NEW_SESSIONS + 4):
        answers.append(intake.hello(hello(number)))
        intake.bye(session_id(number))
    assert [isinstance(answer, Accept) for answer in answers] == [True] * MAX_NEW_SESSIONS + [False] * 4
    assert "new ones within 60 s" in answers[-1].reasons[0]
    assert isinstance(intake.hello(hello(3)), Accept)  # an earlier one goes on
    assert isinstance(intake.hello(hello(99, actor_id="leg")), Accept)
    clock.advance_ns(60_000_000_000)
    assert isinstance(intake.hello(hello(50)), Accept)


def test_the_number_of_open_sessions_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("steadyhand.transport.session_limits.MAX_SESSIONS", 2)
    intake = intake_in(tmp_path)
    for number in range(2):
        assert isinstance(intake.hello(hello(number, actor_id=f"arm{number}")), Accept)
    assert "at most 2 at once" in intake.hello(hello(2, actor_id="arm2")).reasons[0]
    assert isinstance(intake.hello(hello(1, actor_id="arm1")), Accept)
    intake.bye(session_id(0))
    assert isinstance(intake.hello(hello(2, actor_id="arm2")), Accept)


@pytest.mark.parametrize("slow", ["opened", "closed"])
def test_actors_do_not_expire_while_the_disk_opens_or_closes_the_logs_of_others(tmp_path, monkeypatch, slow):
    """As 64 actors that start at once: the disk takes longer for all of them than one of them may be silent."""
    clock = FakeClock()
    intake = intake_in(tmp_path, clock=clock)
    where, name = {"opened": (intake._stored, "open"), "closed": (LogWriter, "close")}[slow]
    at_once = getattr(where, name)

    def slowly(*arguments):
        clock.advance_ns(LIVENESS_NS // 3)
        return at_once(*arguments)

    monkeypatch.setattr(where, name, slowly)
    for number in range(6):
        assert isinstance(intake.hello(hello(number, actor_id=f"arm{number}")), Accept)
    intake.expire()
    assert all(intake.is_open(session_id(number)) for number in range(6))
    for number in range(5):
        intake.bye(session_id(number))
    intake.expire()
    assert intake.is_open(session_id(5))
    clock.advance_ns(LIVENESS_NS + LIVENESS_NS // 3)
    intake.expire()
    assert not intake.is_open(session_id(5))


def test_a_link_in_the_place_of_a_session_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    intake = intake_in(tmp_path / "learner")
    (tmp_path / "learner" / session_id(0)).symlink_to(tmp_path / "elsewhere")
    assert "found a symbolic link" in intake.hello(hello()).reasons[0]
    assert list((tmp_path / "elsewhere").iterdir()) == []
