"""One logger tree, `steadyhand.<name>`, with one line per event on standard error."""

from __future__ import annotations

import logging

__all__ = ["LEVELS", "escaped", "get_logger", "quoted", "setup"]

LEVELS = ("debug", "info", "warning", "error")
ROOT = "steadyhand"
LINE = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s"


def get_logger(name: str) -> logging.Logger:
    """Return the logger of one part of the product, such as `get_logger("transport.intake")`."""
    return logging.getLogger(f"{ROOT}.{name}")


def setup(level: str = "info") -> None:
    """Show log lines of `level` and above. A second call only changes the level.

    Libraries' loggers are left alone, and so is the root logger: a host program keeps its own setup.
    """
    if level.lower() not in LEVELS:
        raise ValueError(f"logging level: expected one of {', '.join(LEVELS)}; found {quoted(level)}")
    logger = logging.getLogger(ROOT)
    logger.setLevel(level.upper())
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(LINE, datefmt="%H:%M:%S"))
        logger.addHandler(handler)
        logger.propagate = False


def quoted(text: object, limit: int = 80) -> str:
    """Return `text` fit for a log line or an error: quoted, ASCII, on one line, at most `limit` characters.

    Use it for all text from a peer or a user, so that a hostile string cannot forge log lines.
    """
    shown = ascii(text)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def escaped(text: str, limit: int = 200) -> str:
    """Return a peer's whole sentence fit for a log line or a terminal: as `quoted`, without the quotes."""
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."
