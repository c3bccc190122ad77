import socket
import subprocess
import sys

import pytest

from steadyhand.doctor import Level
from steadyhand.doctor.ports import check_records_port, check_weights_port, is_learner, listener
from tests.unit.steadyhand.doctor.kit import config, free_ports

LISTEN = (
    "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
    "print(s.getsockname()[1], flush=True); sys.stdin.read()"
)


def process_listening(script, *words):
    """A process that listens on a free port, started as a script of that name."""
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(LISTEN)
    process = subprocess.Popen(
        [sys.executable, str(script), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, int(process.stdout.readline())


def test_free_ports_are_ready_for_a_learner():
    chosen = config(*free_ports())
    assert check_records_port(chosen).level is Level.OK
    assert check_weights_port(chosen).level is Level.OK


# The clone and its environment may have any name, and another program any argument.
@pytest.mark.parametrize("script", ["a-database", "steadyhand/database", "steadyhand/.venv/bin/pytest"])
def test_a_port_of_another_program_is_broken_and_the_program_named(tmp_path, script):
    process, port = process_listening(tmp_path / script, "steadyhand", "learn")
    assert listener(port).pid == process.pid
    finding = check_records_port(config(f"transport.address=tcp://127.0.0.1:{port}"))
    process.communicate("")
    assert finding.level is Level.BROKEN
    assert str(process.pid) in finding.found
    assert f"transport.address=tcp://127.0.0.1:{port + 10}" in finding.mend


def test_a_learner_that_runs_already_is_fine(tmp_path):
    process, port = process_listening(tmp_path / "bin" / "steadyhand", "learn", "seed=1")
    finding = check_weights_port(config(f"transport.weights_address=tcp://127.0.0.1:{port}"))
    process.communicate("")
    assert finding.level is Level.OK
    assert "a learner listens" in finding.found


def test_nobody_listens_on_a_port_that_was_closed():
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    assert listener(port) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/home/me/.venv/bin/python -m steadyhand learn run_name=pegs", True),
        ("/home/me/steadyhand/.venv/bin/python3.11 /home/me/steadyhand/.venv/bin/steadyhand learn", True),
        ("steadyhand learn", True),
        ("/home/me/.venv/bin/python -m steadyhand act run_name=learn", False),
        ("/home/me/steadyhand/.venv/bin/python -m pytest tests", False),
        ("/home/me/steadyhand/bin/server learn", False),
        ("vim steadyhand learn", False),
        ("", False),
    ],
)
def test_only_the_words_that_name_the_program_make_a_learner(line, expected):
    assert is_learner(line.split()) is expected


@pytest.mark.parametrize("address", ["udp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "nonsense"])
def test_what_is_no_address_is_broken(address):
    finding = check_records_port(config() | {"transport": {"address": address}})
    assert finding.level is Level.BROKEN
    assert "tcp://127.0.0.1:5555" in finding.mend
