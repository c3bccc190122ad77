"""Shared by every test folder: reruns after a stall of the machine, tests in groups for workers, and clean logging."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest_plugins = ["tests.stalls", "tests.workers"]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Undo how a test, or a fixture of its module before it, set up logging: the handler writes to captured output."""
    _forget_setup()
    yield
    _forget_setup()


def _forget_setup() -> None:
    logger = logging.getLogger("steadyhand")
    for handler in logger.handlers[:]:
        if type(handler) is logging.StreamHandler:  # pytest takes its own away
            logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def record_property(record_property: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    """Record numpy's numbers as Python's own: a worker can send no others to the process with the terminal."""
    return lambda name, value: record_property(name, value.item() if isinstance(value, np.generic) else value)
