"""F11: a peer without a key, with a wrong, an unlisted or a revoked one is refused, and told so within a second."""

import socket
import threading
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.transport import allow_list, keys
from steadyhand.transport.handshake import HandshakeError, HandshakeMonitor
from steadyhand.transport.log import LogReader
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.uplink import UplinkTimeout
from steadyhand.transport.weights import Weights, encode
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.faults.keyed_world import MAX_ERROR_S, plaintext, revoked, seconds_to, unlisted, wrong_key
from tests.transport_kit import CONFIG, hello, make_machine, pair, wait_until, writer_in


def test_the_paired_actor_is_served_records_and_weights(world):
    uplink = world.uplink(world.arm)
    uplink.connect(hello(), 10.0)
    wait_until(lambda: uplink.progress().next_seq == 3)
    version = 0

    def weights_came() -> bool:
        nonlocal version
        version += 1
        world.server.publish(encode(Weights(0, version, {"w": np.zeros(3, np.float32)})))
        return uplink.latest_weights() is not None

    wait_until(weights_came)
    assert world.stored() == 3


CASES = [
    (unlisted, "does not admit this machine's key [0-9a-f]{4}"),
    (wrong_key, "its key is not the paired one, ([0-9a-f]{4} ?){8};"),
    (plaintext, "it asks for keys"),
    (revoked, "does not admit this machine's key [0-9a-f]{4}"),
]


@pytest.mark.realtime
@pytest.mark.parametrize(("case", "line"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_others_are_refused_and_told_why_within_a_second(world, case, line, record_property):
    elapsed_s = seconds_to(HandshakeError, world.uplink(case(world)), line)
    record_property("time_to_error_s", elapsed_s)
    record_property("accepted", world.stored())
    assert elapsed_s <= MAX_ERROR_S
    assert world.stored() == 0
    assert world.server.intake.readers() == []


@pytest.mark.realtime
@pytest.mark.parametrize("case", [case for case, _ in CASES])
def test_without_the_monitor_they_would_be_met_with_silence(world, case, monkeypatch):
    monkeypatch.setattr(HandshakeMonitor, "failure", lambda self: "")
    with pytest.raises(UplinkTimeout):
        world.uplink(case(world)).connect(hello(), MAX_ERROR_S)


def test_without_the_allow_list_an_unlisted_key_would_be_served(world, monkeypatch):
    monkeypatch.setattr(allow_list.AllowList, "callback", lambda self, domain, key: True)
    monkeypatch.setattr(allow_list.AllowList, "curve_user_id", lambda self, key: "arm")
    world.uplink(unlisted(world)).connect(hello(), 10.0)
    wait_until(lambda: world.stored() == 3)


@pytest.mark.realtime
def test_a_keyed_actor_does_not_talk_to_a_learner_without_keys(world, tmp_path):
    world.server = world.serve(CONFIG)
    elapsed_s = seconds_to(HandshakeError, world.uplink(world.arm), "it serves without keys")
    assert elapsed_s <= MAX_ERROR_S
    assert world.stored() == 0


@pytest.mark.realtime
@pytest.mark.parametrize("keyed", [True, False])
def test_a_tunnel_without_a_learner_behind_it_is_waited_for(world, keyed):
    """It takes every connection and cuts it off at once: nobody has refused anything."""
    with socket.create_server(("127.0.0.1", 0)) as tunnel:
        address = f"tcp://127.0.0.1:{tunnel.getsockname()[1]}"
        closing_all = threading.Thread(target=close_every_connection, args=(tunnel,), daemon=True)
        closing_all.start()
        config = replace(world.arm if keyed else CONFIG, address=address, weights_address=address)
        with (
            closing(writer_in(world.folder / "log")),
            closing(ZmqUplink(config, LogReader(world.folder / "log"))) as link,
            pytest.raises(UplinkTimeout),
        ):
            link.connect(hello(), 1.5 * MAX_ERROR_S)
        tunnel.shutdown(socket.SHUT_RDWR)
        closing_all.join(10.0)


def close_every_connection(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()


def test_a_key_is_good_for_its_own_actor_id_only(world):
    leg = make_machine(world.folder / "leg", "leg")
    pair(world.learner, leg, "leg")
    seconds_to(Rejected, world.uplink(leg), "actor_id: expected leg, as whom this key is paired, found arm")
    assert world.stored() == 0


def test_an_actor_that_is_paired_while_the_learner_runs_is_served(world):
    stranger = unlisted(world)
    uplink = world.uplink(stranger)
    seconds_to(HandshakeError, uplink, "does not admit")
    keys.revoke(world.learner.keys_folder, "arm")
    pair(world.learner, stranger)
    uplink.connect(hello(), 10.0)
    wait_until(lambda: world.stored() == 3)


def test_the_log_names_the_refused_key_and_cannot_be_flooded(world, caplog):
    stranger = unlisted(world)
    shown = keys.fingerprint(keys.own_keys(stranger.keys_folder).public)
    for number in range(9):
        seconds_to(HandshakeError, world.uplink(stranger, number), "does not admit", number)
    lines = [line for line in caplog.messages if shown in line]
    counts = [int(line.split("(")[1].split()[0]) for line in lines]
    assert counts == [1 << power for power in range(len(counts))]
    assert world.server._allow_list.refused >= 9 > len(lines)
    secrets = [keys.own_keys(one.keys_folder).secret.decode() for one in (world.learner, stranger)]
    assert not [line for line in caplog.messages for secret in secrets if secret in line]
