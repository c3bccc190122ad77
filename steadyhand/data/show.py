"""Show what a demo set or a log holds, and what in it would harm training."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from steadyhand.commands.inspect import EPILOG, add_options
from steadyhand.commands.inspect import run as inspect

__all__ = ["EPILOG", "add_options", "run"]


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print as `inspect` does, with the warnings."""
    options.warnings = True
    return inspect(options, overrides)
