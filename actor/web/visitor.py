"""One open page: its messages are checked and executed, and it gets the newest state and pictures."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from typing import Protocol

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from steadyhand.actor.web.config import WebConfig
from steadyhand.actor.web.lease import Lease
from steadyhand.actor.web.message import Beat, GiveUp, Message, Press, Take, decode
from steadyhand.actor.web.pictures import Picture
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.rate_limit import RateLimit

__all__ = ["Console", "Visitor"]

WATCHES = "another page operates; this one watches"
REFUSED = 1008  # WebSocket's code for a violated policy
HEAD = struct.Struct("<BdI")  # number of the view, age of the picture [s], number of the observation

logger = get_logger("actor.web")


class Console(Protocol):
    """The person's controls, as the operator's page uses them."""

    def press(self, name: str) -> None:
        """Take a request by its name."""

    def move(self, beat: Beat) -> None:
        """Take the state of keys and pads."""


class Visitor:
    """A page whose token was right. Every method runs on the server's thread.

    Args:
        connection: The page's WebSocket.
        config: Limits of a page.
        lease: The lease of the one operator.
        console: Takes what the operator's page wants.
        clock: Monotonic.
    """

    def __init__(
        self, connection: ServerConnection, config: WebConfig, lease: Lease, console: Console, clock: Clock
    ) -> None:
        self._connection, self._lease, self._console, self._clock = connection, lease, console, clock
        self._rate_limit = RateLimit(config.max_messages_s, 1.0, 1, clock)
        self._fresh = asyncio.Event()
        self._state = b""
        self._sent_state = b""
        self._pictures: Mapping[str, Picture] = {}
        self._sent: dict[str, int] = {}  # number of the newest picture sent, by view

    def offer(self, state: bytes, pictures: Mapping[str, Picture]) -> None:
        """Replace what is sent next; a page on a slow link gets the newest and skips the rest."""
        self._state, self._pictures = state, dict(pictures)
        self._fresh.set()

    async def serve(self, welcome: bytes) -> None:
        """Serve the page until its connection ends."""
        sending = asyncio.create_task(self._send(welcome))
        try:
            async for data in self._connection:
                if self._rate_limit.count(0):
                    await self._refuse("too many messages")
                    return
                try:
                    message = decode(data)
                except msgspec.DecodeError as error:
                    await self._refuse(f"bad message ({error})")
                    return
                await self._take(message)
        except ConnectionClosed:
            pass
        finally:
            self._lease.drop(self)
            sending.cancel()

    async def _take(self, message: Message) -> None:
        if isinstance(message, Take):
            if not self._lease.take(self):
                await self._say(WATCHES)
        elif isinstance(message, GiveUp):
            self._lease.give_up(self)
        elif isinstance(message, (Beat, Press)):
            if not self._lease.note_life(self):
                if isinstance(message, Press):
                    await self._say(WATCHES)
            elif isinstance(message, Beat):
                self._console.move(message)
            else:
                self._console.press(message.name)
        else:
            await self._refuse("a second hello")

    async def _say(self, text: str) -> None:
        await self._connection.send(msgspec.json.encode({"type": "notice", "text": text}).decode())

    async def _refuse(self, reason: str) -> None:
        self._lease.drop(self)
        logger.warning("a page is dropped: %s", reason)
        await self._connection.close(REFUSED, reason[:100])

    async def _send(self, welcome: bytes) -> None:
        try:
            await self._connection.send(welcome.decode())
            while True:
                await self._fresh.wait()
                self._fresh.clear()
                await self._send_newest()
        except ConnectionClosed:
            return

    async def _send_newest(self) -> None:
        if self._state != self._sent_state:
            self._sent_state = self._state
            await self._connection.send(self._state.decode())
        for index, (name, picture) in enumerate(sorted(self._pictures.items())):
            if picture.number != self._sent.get(name):
                self._sent[name] = picture.number
                age_s = (self._clock.now_ns() - picture.taken_ns) / 1e9
                await self._connection.send(HEAD.pack(index, age_s, picture.number % 2**32) + picture.jpeg)
