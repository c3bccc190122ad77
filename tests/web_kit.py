"""A page of the operator's console without a browser, and a whole browser over its DevTools protocol."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import struct
import subprocess
import threading
import urllib.request
from base64 import b64decode

import pytest
from websockets.sync.client import connect

from tests.transport_kit import wait_until

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (docs/debian-packages.txt)")
BEAT_S = 0.03
REST = [0.0] * 6
HEAD = struct.Struct("<BdI")
ADDRESS = re.compile(r"(http://(\S+?))/#(\S+)")


class Page:
    """A client that speaks as the page does, and collects what it is told.

    Args:
        address: As the command prints it, with the token after the #.
        origin: The page's origin; None = the server's own.
        token: None = the address's own.
    """

    def __init__(self, address: str, origin: str | None = None, token: str | None = None) -> None:
        own, host, given = ADDRESS.fullmatch(address).groups()
        self._opened = connect(f"ws://{host}/socket", origin=origin or own, compression=None, max_size=None, proxy=None)
        self.socket = self._opened.__enter__()
        self.state, self.welcome, self.notices = {}, {}, []
        self.pictures: list[tuple[int, float, int]] = []  # view, age [s], number
        self.twist, self.held, self._beating = REST, [], threading.Event()
        self._ended = threading.Event()
        self.say(type="hello", token=given if token is None else token)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._hear, self._beat)]
        for thread in self._threads:
            thread.start()

    def say(self, **message) -> None:
        self.socket.send(json.dumps(message))

    def press(self, name: str) -> None:
        self.say(type="press", name=name)

    def take(self) -> None:
        """Take the lease and give signs of life from now on."""
        self.say(type="take")
        self._beating.set()

    def operate(self) -> None:
        self.take()
        wait_until(lambda: self.state.get("role") == "operator")

    def fall_silent(self) -> None:
        self._beating.clear()

    def close(self) -> None:
        self._beating.clear()
        self.socket.close()
        self.wait_closed()

    def wait_closed(self) -> int:
        assert self._ended.wait(10.0)
        return self.socket.close_code

    def _hear(self) -> None:
        try:
            for data in self.socket:
                if isinstance(data, bytes):
                    self.pictures.append(HEAD.unpack_from(data))
                    continue
                message = json.loads(data)
                if message["type"] == "notice":
                    self.notices.append(message["text"])
                else:
                    setattr(self, message["type"], message)
        except Exception:
            pass
        finally:
            self._ended.set()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_S):
            if self._beating.is_set():
                try:
                    self.say(type="beat", twist=self.twist, held=self.held)
                except Exception:
                    return


class Beats:
    """The messages of an operator's page to its device, without a server."""

    def __init__(self) -> None:
        self.device, self.twist = None, REST
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(BEAT_S):
            if self.device is not None:
                self.device.move(self.twist, [])


class Browser:
    """Chromium without a window; one tab, driven over the DevTools protocol."""

    def __init__(self, profile, size=(1180, 1060)) -> None:
        command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        command += [f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}", "about:blank"]
        command += ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        port_file = profile / "DevToolsActivePort"
        wait_until(lambda: port_file.exists() and port_file.read_text().strip(), 60)
        port = port_file.read_text().split()[0]
        tabs = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=20).read())
        tab = next(tab for tab in tabs if tab["type"] == "page")
        self._opened = connect(tab["webSocketDebuggerUrl"], max_size=None, compression=None, proxy=None)
        self._socket = self._opened.__enter__()
        self._numbers = itertools.count(1)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=30))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def value(self, script: str):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def text(self, selector: str) -> str:
        return self.value(f"document.querySelector({selector!r})?.textContent ?? ''")

    def shows(self, selector: str, text: str, timeout_s: float = 30.0) -> None:
        wait_until(lambda: text in self.text(selector), timeout_s)

    def click(self, selector: str) -> None:
        self.value(f"document.querySelector({selector!r}).click()")

    def key(self, key: str, down: bool) -> None:
        self.call("Input.dispatchKeyEvent", type="keyDown" if down else "keyUp", key=key)

    def type(self, key: str) -> None:
        self.key(key, True)
        self.key(key, False)

    def screenshot(self) -> bytes:
        return b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self._opened.__exit__(None, None, None)
        self._process.terminate()
        self._process.wait(20)
