"""Fixtures that several fault tests share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.keyed_world import World


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    world = World(tmp_path)
    with world.stack:
        yield world
        assert world.server.failure is None


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Return a new folder in memory: failures and power cuts are simulated, so no disk has to be waited for."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="scratch-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)
