import socket

import pytest
import zmq

from steadyhand.transport.handshake import HandshakeMonitor, confirmed, explain, offered_mechanism
from tests.transport_kit import wait_until

FAILED = (zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
CUT_OFF = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


@pytest.fixture
def monitor(monkeypatch):
    """A monitor whose events a test puts into its list."""
    context = zmq.Context()
    monitor = HandshakeMonitor(context.socket(zmq.DEALER))
    monitor.events = []
    message = "steadyhand.transport.handshake.recv_monitor_message"
    monkeypatch.setattr(message, lambda *_: {"event": monitor.events.pop(0)})
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


@pytest.fixture
def listener():
    """A function that makes a ZeroMQ socket which asks for a mechanism, and returns its address."""
    context, routers = zmq.Context(), []

    def make(mechanism: str) -> str:
        router = context.socket(zmq.ROUTER)
        routers.append(router)  # it lives as long as somebody knows it
        if mechanism == "CURVE":
            router.curve_server = True
            _, router.curve_secretkey = zmq.curve_keypair()
        router.bind("tcp://127.0.0.1:*")
        return router.getsockopt_string(zmq.LAST_ENDPOINT)

    yield make
    context.destroy(linger=0)


@pytest.mark.parametrize("mechanism", ["NULL", "CURVE"])
def test_a_socket_says_what_it_asks_for(listener, mechanism):
    assert offered_mechanism(listener(mechanism)) == mechanism


def test_what_is_no_zeromq_socket_asks_for_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes the connection and says nothing
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert offered_mechanism(address) == ""
    assert offered_mechanism(address) == ""  # nobody listens any more


@pytest.mark.parametrize(
    ("mechanism", "keyed", "expected"),
    [
        ("CURVE", True, "cut off"),
        ("CURVE", False, "another protocol"),
        ("NULL", True, "another protocol"),
        ("NULL", False, ""),
    ],
)
def test_a_connection_that_was_cut_off_means_something_only_with_what_the_other_side_asks_for(
    listener, mechanism, keyed, expected
):
    assert confirmed("cut off", listener(mechanism), keyed) == expected
    assert confirmed("cut off", "tcp://127.0.0.1:1", keyed) == ""
    assert confirmed("not admitted", "tcp://127.0.0.1:1", keyed) == "not admitted"
    assert confirmed("", "tcp://127.0.0.1:1", keyed) == ""


@pytest.mark.parametrize("failure", ["not admitted", "another protocol", "cut off"])
@pytest.mark.parametrize(("own", "learner"), [(None, None), ("aaaa bbbb", "cccc dddd")])
def test_the_error_says_in_one_line_what_to_do(failure, own, learner):
    text = str(explain("tcp://10.0.0.7:5555", failure, own, learner))
    assert text.startswith(f"learner at tcp://10.0.0.7:5555: the handshake failed ({failure})")
    assert "\n" not in text
    assert "steadyhand keys" in text or "transport=network" in text
