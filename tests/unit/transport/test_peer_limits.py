import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.peer_limits import ERROR_WINDOW_S, MAX_HELLOS, MAX_WIRE_ERRORS, PeerLimits
from steadyhand.transport.wire import Heartbeat, WireError
from tests.transport_kit import hello

WINDOW_NS = round(ERROR_WINDOW_S * 1e9)


def test_a_peer_is_dropped_for_too_many_bad_messages_and_comes_back():
    clock = FakeClock()
    limits = PeerLimits(clock)
    assert [limits.count_error("arm") for _ in range(MAX_WIRE_ERRORS)] == [False] * (MAX_WIRE_ERRORS - 1) + [True]
    assert limits.dropped("arm")
    assert not limits.dropped("leg")
    clock.advance_ns(WINDOW_NS)
    assert not limits.dropped("arm")


def test_too_many_hellos_are_refused_and_other_messages_are_not_counted():
    limits = PeerLimits(FakeClock())
    for _ in range(MAX_HELLOS):
        limits.check("arm", hello())
    with pytest.raises(WireError, match=f"at most {MAX_HELLOS} of a peer"):
        limits.check("arm", hello())
    for _ in range(2 * MAX_HELLOS):
        limits.check("arm", Heartbeat())
    limits.check("leg", hello())
