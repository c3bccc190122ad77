"""F11: a key that is revoked while its actor is connected, and one that is listed and misused."""

from contextlib import closing

import zmq

from steadyhand.transport import keys, wire
from steadyhand.transport.handshake import HandshakeError
from steadyhand.transport.log import LogReader
from steadyhand.transport.peer_limits import MAX_WIRE_ERRORS
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.faults.keyed_world import seconds_to, weights_arrive
from tests.transport_kit import CLOCK, hello, make_machine, pair, reaching, record, session_id, wait_until, writer_in


def test_a_revoked_actor_is_cut_off_and_the_others_go_on(world, record_property):
    leg = make_machine(world.folder / "leg", "leg")
    pair(world.learner, leg, "leg")
    other = world.folder / "log1"
    writer = writer_in(other, 1, actor_id="leg")
    staying = world.stack.enter_context(closing(ZmqUplink(reaching(leg, world.server), LogReader(other))))
    staying.connect(hello(1, actor_id="leg"), 10.0)
    going = world.uplink(world.arm)
    going.connect(hello(), 10.0)
    wait_until(lambda: going.progress().next_seq == 3)

    began = CLOCK.now_ns()
    keys.revoke(world.learner.keys_folder, "arm")
    wait_until(lambda: not going.progress().connected)
    record_property("time_to_cut_off_s", (CLOCK.now_ns() - began) / 1e9)
    for step in range(20):
        writer.append(record(1, step=step))
        staying.notify()
    wait_until(lambda: staying.progress().next_seq == 20)
    assert world.server.intake.next_seq(session_id(0)) == 3
    assert not going.progress().connected
    # Nor does it hear of weights any more.
    going.latest_weights()
    version = iter(range(1, 1000))
    wait_until(lambda: weights_arrive(world, staying, next(version)))
    assert going.latest_weights() is None


def test_an_actor_that_is_admitted_again_goes_on_where_it_was(world):
    uplink = world.uplink(world.arm)
    uplink.connect(hello(), 10.0)
    wait_until(lambda: uplink.progress().next_seq == 3)
    keys.revoke(world.learner.keys_folder, "arm")
    wait_until(lambda: not uplink.progress().connected)
    pair(world.learner, world.arm)
    wait_until(lambda: uplink.progress().connected)
    assert world.stored() == 3
    version = iter(range(1, 1000))
    wait_until(lambda: weights_arrive(world, uplink, next(version)))


def test_a_listed_actor_that_sends_junk_is_dropped_whatever_connection_it_takes(world):
    own = keys.own_keys(world.arm.keys_folder)
    context = zmq.Context()

    def connection() -> zmq.Socket:
        socket = context.socket(zmq.DEALER)
        socket.curve_serverkey = keys.learner_key(world.arm.keys_folder)
        socket.curve_publickey, socket.curve_secretkey = own.public, own.secret
        socket.connect(world.server.address)
        return socket

    for _ in range(MAX_WIRE_ERRORS):  # one from each connection
        socket, errors = connection(), world.server.wire_errors
        socket.send(b"junk")
        wait_until(lambda errors=errors: world.server.wire_errors == errors + 1)
    socket = connection()
    socket.send_multipart(wire.encode(hello()))
    assert not socket.poll(300)
    seconds_to(HandshakeError, world.uplink(world.arm), "does not admit")
    assert world.stored() == 0
    context.destroy(linger=0)
