"""The files of the operator page, and the headers under which a browser gets them."""

from __future__ import annotations

import http
from importlib.resources import files

from websockets.datastructures import Headers
from websockets.http11 import Response

__all__ = ["SOCKET", "answer", "refusal"]

SOCKET = "/socket"
TYPES = {"page.html": "text/html", "page.css": "text/css"}
TYPES |= dict.fromkeys(("page.js", "pad.js", "chart.js"), "text/javascript")
PATHS = {"/": "page.html"} | {f"/{name}": name for name in TYPES}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def answer(path: str) -> Response:
    """Return the file of a path, or the refusal of a path that has none. A query is ignored."""
    name = PATHS.get(path.partition("?")[0])
    if name is None:
        return refusal(http.HTTPStatus.NOT_FOUND, "no such page")
    body = (files("steadyhand.actor.web") / "page" / name).read_bytes()
    return _response(http.HTTPStatus.OK, f"{TYPES[name]}; charset=utf-8", body)


def refusal(status: http.HTTPStatus, text: str) -> Response:
    """Return a refusal in one line."""
    return _response(status, "text/plain; charset=utf-8", f"{text}\n".encode())


def _response(status: http.HTTPStatus, content_type: str, body: bytes) -> Response:
    length = {"Content-Type": content_type, "Content-Length": str(len(body)), "Connection": "close"}
    return Response(status.value, status.phrase, Headers(length | HEADERS), body)
