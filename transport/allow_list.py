"""The learner's allow list: ZeroMQ asks it at every handshake, and it answers from the files of `actors/`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils import z85

from steadyhand.runtime.logging import get_logger
from steadyhand.transport.keys import actor_keys, fingerprint

__all__ = ["DOMAIN", "AllowList"]

DOMAIN = "steadyhand"
NOBODY = "-"  # no actor has this name

_log = get_logger("transport.keys")


class AllowList(ThreadAuthenticator):
    """ZeroMQ's authenticator over a folder that is read at every handshake, so that pairing needs no restart.

    The user id that it gives to a connection, and with it to every message of that connection, is the `actor_id`.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], folder: Path, dropped: Callable[[str], bool]) -> None:
        """Answer for `context`, on a thread of its own.

        Args:
            context: Context of the sockets that ask. Start this object before they bind.
            folder: Folder of the keys.
            dropped: Returns whether a listed actor may not connect for now.
        """
        super().__init__(context)
        self._folder, self._dropped = folder, dropped
        self._lock = threading.Lock()
        self._admitted: dict[bytes, str] = {}  # key -> actor_id
        self.refused = 0  # handshakes

    def start(self) -> None:
        """Bind the address where ZeroMQ asks."""
        super().start()
        self.configure_curve_callback(domain=DOMAIN, credentials_provider=self)

    def callback(self, domain: str, key: bytes) -> bool:
        """Answer the authenticator: whether `key`, in Z85, is admitted."""
        actor_id = actor_keys(self._folder).get(key)
        if actor_id is not None and not self._dropped(actor_id):
            with self._lock:
                self._admitted[key] = actor_id
            return True
        self.refused += 1
        if self.refused & (self.refused - 1) == 0:  # the 1st, 2nd, 4th, 8th ...: a peer cannot fill the disk with lines
            why = f"is not in {self._folder / 'actors'}" if actor_id is None else f"{actor_id}, sent bad messages"
            _log.warning("refused a connection (%d in all): key %s %s", self.refused, fingerprint(key), why)
        return False

    def curve_user_id(self, client_public_key: bytes) -> str:
        """Return the `actor_id` of a key that was admitted."""
        with self._lock:
            return self._admitted.get(z85.encode(client_public_key), NOBODY)

    def outdated(self) -> list[str]:
        """Return the fingerprints of keys that were admitted and no longer would be; each is returned once."""
        listed = actor_keys(self._folder)
        with self._lock:
            gone = [key for key, name in self._admitted.items() if listed.get(key) != name or self._dropped(name)]
            for key in gone:
                del self._admitted[key]
        return [fingerprint(key) for key in gone]
