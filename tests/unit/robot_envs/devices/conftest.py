"""The real daemon of a SpaceMouse, and a hand on its cap."""

import pytest

from tests.spacenav_kit import Cap, Daemon


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.kill()


@pytest.fixture
def cap(daemon):
    cap = Cap()
    daemon.start(cap)
    yield cap
    daemon.kill()
    cap.unplug()
