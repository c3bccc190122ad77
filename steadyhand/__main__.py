"""`python -m steadyhand`, and the command `steadyhand`."""

from __future__ import annotations

from typing import NoReturn

from steadyhand.cli import main
from steadyhand.runtime.leave import leave

__all__ = ["enter"]


def enter() -> NoReturn:
    """Run one verb, and end the process with its exit status."""
    leave(main())


if __name__ == "__main__":
    enter()
