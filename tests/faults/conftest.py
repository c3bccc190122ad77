"""Fixtures that several fault tests share."""

from collections.abc import Iterator

import pytest

from tests.faults.keyed_world import World


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    world = World(tmp_path)
    with world.stack:
        yield world
        assert world.server.failure is None
