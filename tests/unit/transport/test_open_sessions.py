from contextlib import closing

import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.open_session import OpenSession
from steadyhand.transport.open_sessions import OpenSessions, UnknownSessionError
from steadyhand.transport.quarantine import Quarantine
from tests.transport_kit import hello, session_id, writer_in


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def sessions(tmp_path, clock):
    quarantine, sessions = Quarantine(tmp_path, clock), OpenSessions(1.0, clock)
    with closing(writer_in(tmp_path / session_id(1), 1)) as writer:
        sessions.add(OpenSession(hello(1), writer, ReceiverState(), quarantine, clock.now_ns()))
        yield sessions


def test_a_session_is_silent_from_the_limit_on_until_it_is_heard(sessions, clock):
    clock.advance_ns(999_999_999)
    assert sessions.silent() == []
    clock.advance_ns(1)
    assert sessions.silent() == [session_id(1)]
    assert sessions.heard(session_id(1)) is sessions[session_id(1)]
    assert sessions.silent() == []


def test_a_time_without_ears_is_no_silence(sessions, clock):
    clock.advance_ns(100_000_000)
    with sessions.deaf():
        clock.advance_ns(800_000_000)
    clock.advance_ns(899_999_999)
    assert sessions.silent() == []
    clock.advance_ns(1)
    assert sessions.silent() == [session_id(1)]


def test_only_an_open_session_can_be_heard(sessions):
    with pytest.raises(UnknownSessionError, match="say HELLO first"):
        sessions.heard(session_id(2))
    assert sessions.pop(session_id(1)).actor_id == "arm"
    assert sessions.pop(session_id(1)) is None
    with pytest.raises(UnknownSessionError):
        sessions.heard(session_id(1))


def test_an_actor_has_one_session_and_a_session_one_actor(sessions):
    assert sessions.objections(hello(1)) == []
    assert "start a new session" in sessions.objections(hello(1, actor_id="leg"))[0]
    assert f"held by session {session_id(1)}" in sessions.objections(hello(2))[0]
    assert sessions.objections(hello(2, actor_id="leg")) == []
