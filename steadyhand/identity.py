"""As whom this machine records."""

from __future__ import annotations

import re
import socket

__all__ = ["ACTOR_ID", "actor_id"]


def actor_id(host: str) -> str:
    """Make a host's name an actor's: the wire knows only lower case, and no sign that a path or a shell minds."""
    return re.sub(r"[^a-z0-9_.-]+", "-", host.lower()).lstrip("_.-")[:64] or "robot"


ACTOR_ID = actor_id(socket.gethostname())
