"""All checks, in the order of their printed lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from steadyhand.doctor.finding import Finding, broken

__all__ = ["GROUPS", "Check", "examine"]

Config = dict[str, Any]
# A check returns one line for the thing that it examines, or yields one line for each of several things, such as
# cameras; None = it does not apply to this configuration.
Check = Callable[[Config], Finding | Iterator[Finding] | None]

# Modules of this package, imported one by one: a package missing for one must not hide the results of the others.
GROUPS = (
    "environment",
    "configuration",
    "devices",
    "cameras",
    "calibration",
    "keys",
    "ports",
    "storage",
    "gpu",
    "clocks",
    "ros",
)


def examine(overrides: Sequence[str], groups: Sequence[str] = GROUPS) -> Iterator[Finding]:
    """Check the machine for the configuration that `overrides` choose; yield each line as soon as it is known.

    A configuration that does not compose is a finding. The remaining checks then use the defaults.
    """
    config: Config = {}
    try:
        from steadyhand.runtime.build import ConfigError
        from steadyhand.runtime.config import compose

        try:
            config = compose(overrides)
        except ConfigError as error:
            yield broken("config", str(error), "the lines below are about the defaults")
            config = compose([])
    except ImportError as error:
        yield _missing("config", error)
    for group in groups:
        try:
            checks: Sequence[Check] = import_module(f"steadyhand.doctor.{group}").CHECKS
        except ImportError as error:
            yield _missing(group, error)
            continue
        for check in checks:
            yield from _looked(check, config)


def _looked(check: Check, config: Config) -> Iterator[Finding]:
    try:
        found = check(config)
        if isinstance(found, Finding):
            yield found
        elif found is not None:
            yield from found
    except Exception as error:  # a failing check must not hide the results of the others
        name = getattr(check, "__name__", "check").removeprefix("check_")
        yield broken(name, f"the check itself failed ({type(error).__name__}: {error})", "report this line")


def _missing(group: str, error: ImportError) -> Finding:
    return broken(group, f"cannot be looked at ({error})", "install the package, with `make` or pip")
