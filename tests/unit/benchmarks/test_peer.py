import sys

import pytest

from benchmarks.peer import Peer, PeerError

ECHO = """
from benchmarks.peer import answer, wait_for_word
answer(ready=True)
while wait_for_word():
    answer(heard=True)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    def write(source):
        (tmp_path / "a_peer.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *sys.path]))
        return "a_peer"

    return write


def test_a_peer_answers_and_ends_with_its_standard_input(module):
    with Peer(module(ECHO), []) as peer:
        assert peer.answer() == {"ready": True}
        peer.tell()
        assert peer.answer() == {"heard": True}
    assert peer._process.returncode == 0


def test_a_peer_that_dies_is_an_error_and_not_a_hang(module):
    with (
        Peer(module("import sys\nsys.exit(3)"), []) as peer,
        pytest.raises(PeerError, match="with status 3"),
    ):
        peer.answer()
