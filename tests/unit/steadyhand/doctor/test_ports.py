import socket
import subprocess
import sys

import pytest

from steadyhand.doctor import Level
from steadyhand.doctor.ports import check_records_port, check_weights_port, listener
from tests.unit.steadyhand.doctor.kit import config, free_ports

LISTEN = (
    "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
    "print(s.getsockname()[1], flush=True); sys.stdin.read()"
)


def process_listening(*words):
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, int(process.stdout.readline())


def test_free_ports_are_ready_for_a_learner():
    chosen = config(*free_ports())
    assert check_records_port(chosen).level is Level.OK
    assert check_weights_port(chosen).level is Level.OK


def test_a_port_of_another_program_is_broken_and_the_program_named():
    process, port = process_listening("a-database")
    assert f"process {process.pid}" in listener(port)
    finding = check_records_port(config(f"transport.address=tcp://127.0.0.1:{port}"))
    process.communicate("")
    assert finding.level is Level.BROKEN
    assert str(process.pid) in finding.found
    assert f"transport.address=tcp://127.0.0.1:{port + 10}" in finding.mend


def test_a_learner_that_runs_already_is_fine():
    process, port = process_listening("steadyhand", "learn")
    finding = check_weights_port(config(f"transport.weights_address=tcp://127.0.0.1:{port}"))
    process.communicate("")
    assert finding.level is Level.OK
    assert "a learner listens" in finding.found


def test_nobody_listens_on_a_port_that_was_closed():
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    assert listener(port) == ""


@pytest.mark.parametrize("address", ["udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "nonsense"])
def test_what_is_no_address_is_broken(address):
    finding = check_records_port(config() | {"transport": {"address": address}})
    assert finding.level is Level.BROKEN
    assert "tcp://127.0.0.1:5555" in finding.mend
