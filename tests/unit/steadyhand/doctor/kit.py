"""What the tests of the doctor share."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import Any

from steadyhand.runtime.config import compose
from steadyhand.subprocesses import free_addresses


@lru_cache
def _composed(*overrides: str) -> dict[str, Any]:
    return compose(list(overrides))


def config(*overrides: str) -> dict[str, Any]:
    return deepcopy(_composed(*overrides))


def free_ports() -> list[str]:
    address, weights = free_addresses(2)
    return [f"transport.address={address}", f"transport.weights_address={weights}"]
