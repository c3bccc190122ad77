import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docker/health.py"


def health(*words, ports=()):
    env = {**os.environ, "STEADYHAND_PORTS": " ".join(map(str, ports))}
    done = subprocess.run([sys.executable, "-S", SCRIPT, *words], capture_output=True, text=True, timeout=30, env=env)
    return done.returncode


@pytest.fixture
def listening():
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
            each.listen()
        yield sockets


def test_a_learner_is_healthy_while_both_ports_take_connections(listening):
    ports = [each.getsockname()[1] for each in listening]
    assert health("learner", ports=ports) == 0
    assert health("learner", "127.0.0.1", ports=ports) == 0
    assert health("learner", "127.0.0.2", ports=ports) == 1  # it listens where it was told to, and nowhere else
    listening[1].close()
    assert health("learner", ports=ports) == 1


def test_an_actor_is_healthy_while_it_is_connected_to_a_learner(listening):
    ports = [each.getsockname()[1] for each in listening]
    assert health("actor", ports=ports) == 1
    with socket.create_connection(("127.0.0.1", ports[1])):
        assert health("actor", ports=ports) == 1  # weights alone are not enough
    with socket.create_connection(("127.0.0.1", ports[0])):
        assert health("actor", ports=ports) == 0


@pytest.mark.parametrize("words", [(), ("robot",), ("actor", "host"), ("learner", "host", "more")])
def test_other_words_are_refused(words):
    assert health(*words) == 2
