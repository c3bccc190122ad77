"""The server of the operator page: one thread of its own, HTTP for the files and a WebSocket for the rest."""

from __future__ import annotations

import asyncio
import hmac
import http
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Origin

from steadyhand.actor.web.config import WebConfig
from steadyhand.actor.web.files import SOCKET, answer, refusal
from steadyhand.actor.web.lease import Lease, Operated
from steadyhand.actor.web.message import Hello, decode
from steadyhand.actor.web.pace import Pace
from steadyhand.actor.web.pictures import Picture, Pictures
from steadyhand.actor.web.visitor import REFUSED, Console, Visitor
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import get_logger

__all__ = ["PageServer", "WebError"]

START_S = 10.0
SHORTEST_S = 0.02  # between two states
IDLE_S = 0.2  # longest time between two states: ages and the disk change without an event
CHECKS = 5  # of the lease in one time of silence
QUEUE = 8  # messages of a page that wait; its socket is not read meanwhile
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

logger = get_logger("actor.web")


class WebError(RuntimeError):
    """Error of a page that cannot be served."""


class PageServer:
    """Serves the page, from `start` to `stop`.

    Args:
        config: Address and limits.
        token: Gives access; every page sends it first.
        operated: Is told whether a person operates.
        console: Takes what the operator's page wants.
        pictures: The newest pictures.
        state: Returns the state for the pages, ready for JSON; called on the server's thread.
        about: Facts for a new page, ready for JSON.
    """

    def __init__(
        self,
        config: WebConfig,
        token: str,
        operated: Operated,
        console: Console,
        pictures: Pictures,
        state: Callable[[], dict[str, Any]],
        about: Callable[[], dict[str, Any]],
    ) -> None:
        self._config, self._token, self._console = config, token, console
        self._pictures, self._state, self._about = pictures, state, about
        self._clock = MonotonicClock()
        self._lease = Lease(config.lease_s, self._clock, operated)
        self._visitors: set[Visitor] = set()
        self._pages = 0  # open WebSockets, those without a token included
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._woken = False
        self._started, self._error = threading.Event(), ""
        self._ending: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="operator page", daemon=True)
        self.port = config.port

    def start(self) -> None:
        """Begin to serve.

        Raises:
            WebError: The address cannot be used.
        """
        self._thread.start()
        if not self._started.wait(START_S):
            self._error = f"expected a server within {START_S:.0f} s, found none; start the command again"
        if self._error:
            raise WebError(f"actor.web: {self._error}")

    def stop(self) -> None:
        """End the server; the operator's lease ends with it."""
        loop, ending = self._loop, self._ending
        if loop is not None and ending is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(ending.set)
            self._thread.join(START_S)

    def changed(self) -> None:
        """Send the newest state and pictures to every page, from any thread. Returns at once."""
        loop, wake = self._loop, self._wake
        if loop is None or wake is None or self._woken:
            return
        self._woken = True  # until the server's thread has seen it: one call for any number of changes
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(wake.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            where = f"{self._config.host}:{self._config.port}"
            self._error = f"expected a free address {where}, found {error.strerror}; give another actor.web.port, or 0"
        finally:
            self._loop = self._wake = None
            self._started.set()

    async def _serve(self) -> None:
        self._wake, self._ending = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with serve(
            self._visit,
            self._config.host,
            self._config.port,
            process_request=self._answer,
            max_size=self._config.max_message_bytes,
            max_queue=QUEUE,
            compression=None,  # pictures are compressed
            server_header=None,
            close_timeout=1.0,
        ) as server:
            self.port = _port(server)
            self._started.set()
            tasks = [asyncio.create_task(self._watch_lease()), asyncio.create_task(self._broadcast())]
            await self._ending.wait()
            for task in tasks:
                task.cancel()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Return a file; None lets the page's WebSocket in."""
        if request.path != SOCKET:
            return answer(request.path)
        if request.headers.get("Origin") not in self._origins():
            logger.warning("a page of another origin was refused")
            return refusal(http.HTTPStatus.FORBIDDEN, "expected a page of this server")
        if self._pages >= self._config.max_pages:
            return refusal(
                http.HTTPStatus.SERVICE_UNAVAILABLE, "too many pages; close one, or raise actor.web.max_pages"
            )
        return None

    def _origins(self) -> set[Origin]:
        host = self._config.host
        own = f"[{host}]" if ":" in host else host
        return {Origin(f"http://{name}:{self.port}") for name in (LOOPBACK if own in LOOPBACK else (own,))}

    async def _visit(self, connection: ServerConnection) -> None:
        self._pages += 1
        try:
            if not await self._is_welcome(connection):
                await connection.close(REFUSED, "wrong token")
                return
            visitor = Visitor(connection, self._config, self._lease, self._console, self._clock)
            self._visitors.add(visitor)
            self._wake_now()
            try:
                await visitor.serve(msgspec.json.encode({"type": "welcome", **self._about()}))
            finally:
                self._visitors.discard(visitor)
        finally:
            self._pages -= 1

    async def _is_welcome(self, connection: ServerConnection) -> bool:
        try:
            first = decode(await asyncio.wait_for(connection.recv(), self._config.hello_s))
        except (asyncio.TimeoutError, ConnectionClosed, msgspec.DecodeError):
            return False
        if isinstance(first, Hello) and hmac.compare_digest(first.token.encode(), self._token.encode()):
            return True
        logger.warning("a page with a wrong token was refused; open the address that this command has printed")
        return False

    async def _watch_lease(self) -> None:
        while True:
            await asyncio.sleep(self._config.lease_s / CHECKS)
            self._lease.check()

    async def _broadcast(self) -> None:
        """Send the newest state after every change, and the newest pictures as often as they are wanted."""
        assert self._wake is not None
        pace, shown, pictures = Pace(self._config.picture_hz, self._clock), 0, dict[str, Picture]()
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), IDLE_S)
            self._wake.clear()
            self._woken = False
            if self._visitors and (number := self._pictures.number) != shown:
                if (wait_s := pace.wait_s()) > 0.0:
                    asyncio.get_running_loop().call_later(wait_s, self._wake.set)
                else:
                    pace.spend()
                    shown = number
                    pictures = await asyncio.to_thread(self._pictures.encode)  # a stop need not wait for an encoder
            if self._visitors:
                self._offer(self._state(), pictures)
            await asyncio.sleep(SHORTEST_S)

    def _offer(self, facts: dict[str, Any], pictures: Mapping[str, Picture]) -> None:
        for visitor in self._visitors:
            is_mine = self._lease.is_held_by(visitor)
            role = "operator" if is_mine else "watcher" if self._lease.taken else "free"
            visitor.offer(msgspec.json.encode({"type": "state", "role": role, **facts}), pictures)

    def _wake_now(self) -> None:
        if self._wake is not None:
            self._wake.set()


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])
