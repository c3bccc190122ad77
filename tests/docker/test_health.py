import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docker/health.py"

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"]


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


def without_these_processes(*words, ports):
    """The script in a container's place: it sees the host's connections, and no process of the host."""
    environment = {**os.environ, "STEADYHAND_PORTS": " ".join(map(str, ports))}
    done = subprocess.run([*UNSHARE, sys.executable, "-S", SCRIPT, *words], timeout=30, env=environment)
    return done.returncode


def may_unshare():
    return (
        shutil.which("unshare") and subprocess.run([*UNSHARE, "true"], capture_output=True, timeout=30).returncode == 0
    )


@pytest.mark.skipif(not may_unshare(), reason="needs namespaces that a user may make")
def test_connections_of_other_processes_of_the_host_do_not_count(listening):
    ports = [each.getsockname()[1] for each in listening]
    with socket.create_connection(("127.0.0.1", ports[0])):
        assert health("actor", ports=ports) == 0
        assert without_these_processes("actor", ports=ports) == 1
    assert health("learner", ports=ports) == 0
    assert without_these_processes("learner", ports=ports) == 1


def test_the_nodes_are_healthy_while_each_of_them_runs(tmp_path):
    assert health("nodes") == 1
    scripts = [tmp_path / name for name in ("actor_node", "watchdog_node")]
    for script in scripts:
        script.write_text("import sys; sys.stdin.read()\n", encoding="utf-8")
    with ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE)) for script in scripts
        ]
        assert health("nodes") == 0
        running[1].communicate()
        assert health("nodes") == 1
        running[0].communicate()


@pytest.mark.parametrize("words", [(), ("robot",), ("actor", "host"), ("learner", "host", "more")])
def test_other_words_are_refused(words):
    assert health(*words) == 2
