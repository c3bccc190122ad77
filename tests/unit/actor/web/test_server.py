"""The server of the operator page over real sockets: who gets in, and who operates."""

import http.client
import json
from contextlib import suppress

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.events import Events, StepEnded
from steadyhand.actor.web.operator_page import OperatorPage
from steadyhand.actor.web.server import WebError
from tests.settings_kit import shipped
from tests.transport_kit import wait_until
from tests.unit.actor.web.page_bench import CONFIG, Cell
from tests.web_kit import REST, Page


@pytest.fixture
def cell(tmp_path):
    with Cell(tmp_path) as cell:
        yield cell


def get(address, path):
    connection = http.client.HTTPConnection(address.partition("//")[2].partition("/")[0], timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()


def test_the_files_are_served_with_headers_that_let_nothing_else_in(cell):
    for path, start in {"/": "<!doctype html>", "/page.js": "//", "/pad.js": "//", "/chart.js": "//"}.items():
        status, headers, body = get(cell.page.address, path)
        assert (status, body[: len(start)]) == (200, start)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "http" not in body.replace("http://www.w3.org", "").replace("https://", "http")  # works offline
    assert get(cell.page.address, "/../config.py")[0] == 404


def test_a_wrong_token_gets_nothing(cell):
    page = cell.open(token="wrong")
    assert page.wait_closed() == 1008
    assert page.state == page.welcome == {}
    right = cell.open()
    wait_until(lambda: right.state)  # the twin with the right token
    right.close()


def test_a_page_of_another_origin_is_refused(cell):
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus, match="403"):
            cell.open(origin=origin)


def test_a_page_that_says_nothing_is_closed_in_time(cell):
    address = cell.page.address.partition("#")[0]
    with (
        connect(f"{address.replace('http', 'ws')}socket", origin=address[:-1], proxy=None) as socket,
        pytest.raises(ConnectionClosed, match="1008"),
    ):
        socket.recv(timeout=CONFIG.hello_s + 5.0)


@pytest.mark.parametrize(
    "message",
    [
        "{}",
        "no json",
        json.dumps({"type": "press", "name": "reboot"}),
        json.dumps({"type": "beat", "twist": [2, 0, 0, 0, 0, 0], "held": []}),
        json.dumps({"type": "beat", "twist": [0, 0], "held": []}),
        json.dumps({"type": "beat", "twist": REST, "held": [], "more": 1}),
        '{"type":"beat","twist":[NaN,0,0,0,0,0],"held":[]}',
        "x" * 10_000,
    ],
)
def test_a_bad_message_drops_the_page_and_moves_nothing(cell, message):
    page = cell.open()
    page.operate()
    page.socket.send(message)
    assert page.wait_closed() in (1008, 1009)
    other = cell.open()
    other.operate()  # the lease is free again
    other.close()


def test_a_flood_of_messages_drops_the_page(cell):
    page, other = cell.open(), cell.open()
    page.operate()
    with suppress(ConnectionClosed):
        for _ in range(100 * CONFIG.max_messages_s):
            page.say(type="beat", twist=REST, held=[])
    assert page.wait_closed() == 1008
    wait_until(lambda: other.state)
    other.close()


def test_a_second_page_only_watches(cell):
    first, second = cell.open(), cell.open()
    first.operate()
    second.take()
    wait_until(lambda: second.notices)
    second.press("resume")
    wait_until(lambda: len(second.notices) > 1)
    assert second.state["role"] == "watcher"
    assert not cell.person.motion.enabled
    first.press("resume")  # the twin: the operator's press counts
    wait_until(lambda: cell.person.motion.enabled)
    first.say(type="give_up")
    first.fall_silent()
    wait_until(lambda: second.state["role"] == "free")
    second.operate()
    first.close()
    second.close()


def test_more_pages_than_allowed_are_refused(cell):
    pages = [cell.open() for _ in range(CONFIG.max_pages)]
    with pytest.raises(InvalidStatus, match="503"):
        cell.open()
    for page in pages:
        page.close()


def test_a_port_in_use_is_one_line(tmp_path):
    first = OperatorPage(CONFIG, Events(), "a run", tmp_path)
    first.start()
    port = int(first.address.partition("//127.0.0.1:")[2].partition("/")[0])
    taken = shipped(ActorConfig, "actor", f"actor.web.port={port}").web
    second = OperatorPage(taken, Events(), "a run", tmp_path)
    with pytest.raises(WebError, match=r"actor\.web: expected a free address .* or 0") as error:
        second.start()
    assert "\n" not in str(error.value)
    first.stop()


def test_pictures_come_once_each_and_the_newest_first(tmp_path):
    events = Events()
    page = OperatorPage(CONFIG, events, "a run", tmp_path)
    page.start()
    watcher = Page(page.address)
    wait_until(lambda: watcher.state)
    observation = {"side": np.zeros((32, 48, 3), np.uint8), "force": np.zeros(6, np.float32)}
    for step in range(1, 4):
        events.emit(StepEnded(0, step, observation, 0.0, 0))
        wait_until(lambda step=step: [number for _, _, number in watcher.pictures][-1:] == [step])
    assert watcher.state["views"] == ["side"]
    numbers = [number for _, _, number in watcher.pictures]
    assert numbers == sorted(set(numbers))
    watcher.close()
    page.stop()
