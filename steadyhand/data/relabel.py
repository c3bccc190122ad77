"""Mark recorded episodes as success or failure; the verb `relabel` under the name of a step."""

from __future__ import annotations

from steadyhand.commands.relabel import EPILOG, add_options, run

__all__ = ["EPILOG", "add_options", "run"]
