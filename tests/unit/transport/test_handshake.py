import pytest
import zmq

from tests.transport_kit import wait_until
from transport.handshake import HandshakeMonitor, explain

FAILED = (zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
CUT_OFF = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


@pytest.fixture
def monitor(monkeypatch):
    """A monitor whose events a test puts into its list."""
    context = zmq.Context()
    monitor = HandshakeMonitor(context.socket(zmq.DEALER))
    monitor.events = []
    monkeypatch.setattr("transport.handshake.recv_monitor_message", lambda *_: {"event": monitor.events.pop(0)})
    monitor.socket.close()
    monitor.socket = type("Socket", (), {"poll": lambda self, timeout: bool(monitor.events)})()
    yield monitor
    context.destroy(linger=0)


@pytest.mark.parametrize("event", FAILED)
def test_a_refusal_is_a_failure_at_once(monitor, event):
    assert monitor.failure() == ""
    monitor.events += [event]
    assert monitor.failure()
    assert monitor.failure() == ""


def test_a_handshake_that_was_cut_off_is_a_failure_when_it_happens_again_and_again(monitor):
    monitor.events += [CUT_OFF]
    assert monitor.failure() == ""
    monitor.events += [CUT_OFF]
    assert monitor.failure() == ""
    monitor.events += [CUT_OFF]
    assert monitor.failure() == "cut off"


def test_a_success_between_forgives_what_was_cut_off(monitor):
    monitor.events += [CUT_OFF, CUT_OFF, zmq.EVENT_HANDSHAKE_SUCCEEDED, CUT_OFF]
    assert monitor.failure() == ""


def test_a_real_socket_reports_a_peer_that_wants_something_else():
    context = zmq.Context()
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    router.plain_server = True
    router.bind("tcp://127.0.0.1:*")
    monitor = HandshakeMonitor(dealer)
    dealer.connect(router.getsockopt_string(zmq.LAST_ENDPOINT))
    try:
        wait_until(monitor.failure)
    finally:
        monitor.close()
        context.destroy(linger=0)


@pytest.mark.parametrize("failure", ["not admitted", "another protocol", "cut off"])
@pytest.mark.parametrize(("own", "learner"), [(None, None), ("aaaa bbbb", "cccc dddd")])
def test_the_error_says_in_one_line_what_to_do(failure, own, learner):
    text = str(explain("tcp://10.0.0.7:5555", failure, own, learner))
    assert text.startswith(f"learner at tcp://10.0.0.7:5555: the handshake failed ({failure})")
    assert "\n" not in text
    assert "steadyhand keys" in text or "transport=network" in text
