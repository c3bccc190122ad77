import os

import pytest

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.supervision.person_keys import PersonKeys, PersonKeysConfig
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

KEYS = build(ActorConfig, compose([])["actor"], "actor").person_keys.keys


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def heard():
    return []


def start(terminal, heard):
    keys = PersonKeys(PersonKeysConfig(terminal.path, 0.02, KEYS), heard.append)
    assert keys.start()
    return keys


def test_every_request_has_a_key(terminal, heard):
    keys = start(terminal, heard)
    terminal.type("\r p?ynwg")
    wait_until(lambda: "again" in heard)
    assert heard == ["resume", "stop", "park", "success", "failure", "again"]
    keys.close()


def test_what_was_typed_before_it_listened_enables_nothing(terminal, heard):
    terminal.type("\r\r")
    keys = start(terminal, heard)
    terminal.type("g")
    wait_until(lambda: heard)
    assert heard == ["again"]
    keys.close()


def test_the_terminal_is_given_back_as_it_was(terminal, heard):
    keys = start(terminal, heard)
    assert not terminal.shows_keys()
    keys.close()
    assert terminal.shows_keys()


@pytest.mark.parametrize("path", ["/dev/null", "/nowhere/tty"])
def test_without_a_terminal_no_key_is_read(path, heard):
    assert not PersonKeys(PersonKeysConfig(path, 0.02, KEYS), heard.append).start()


def test_the_terminal_of_another_job_is_left_alone(terminal, heard, monkeypatch):
    monkeypatch.setattr(os, "tcgetpgrp", lambda file: os.getpgrp() + 1)
    assert not PersonKeys(PersonKeysConfig(terminal.path, 0.02, KEYS), heard.append).start()
    assert terminal.shows_keys()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"explode": "x"}, "keys: expected one of resume, stop"),
        ({"stop": ""}, r"keys\.stop: expected a key"),
        ({"stop": "x", "park": "x"}, "keys: expected one meaning for each key"),
    ],
)
def test_keys_without_a_clear_meaning_are_refused(keys, expected):
    with pytest.raises(ValueError, match=expected):
        PersonKeysConfig("/dev/tty", 0.2, keys)
