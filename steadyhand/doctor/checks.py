"""Every check, in the order in which their lines are printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from steadyhand.doctor.finding import Finding, broken

__all__ = ["GROUPS", "Check", "examine"]

Config = dict[str, Any]
# A check looks at one thing and says one line about it; None = it does not concern this configuration.
Check = Callable[[Config], Finding | None]

# Modules beside this one, imported one by one: what is missing for one of them must not hide what the others say.
GROUPS = ("environment", "configuration", "devices", "keys", "ports", "storage", "gpu", "clocks", "ros")


def examine(overrides: Sequence[str], groups: Sequence[str] = GROUPS) -> Iterator[Finding]:
    """Look at the machine, for the configuration that `overrides` choose; yield a line as soon as it is known.

    A configuration that does not compose is a finding, and the defaults take its place for the rest.
    """
    config: Config = {}
    try:
        from steadyhand.runtime.config import ConfigError, compose

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
        yield from (finding for check in checks if (finding := _looked(check, config)) is not None)


def _looked(check: Check, config: Config) -> Finding | None:
    try:
        return check(config)
    except Exception as error:  # one check that fails must not hide what the others have to say
        name = getattr(check, "__name__", "check").removeprefix("check_")
        return broken(name, f"the check itself failed ({type(error).__name__}: {error})", "report this line")


def _missing(group: str, error: ImportError) -> Finding:
    return broken(group, f"cannot be looked at ({error})", "install the package, with `make` or pip")
