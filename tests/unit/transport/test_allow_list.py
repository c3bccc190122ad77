import re
from collections.abc import Iterator

import pytest
import zmq
from zmq.utils import z85

from steadyhand.transport import keys
from steadyhand.transport.allow_list import NOBODY, AllowList
from steadyhand.transport.wire import ACTOR_ID


@pytest.fixture
def folder(tmp_path):
    keys.make_keys(tmp_path / "keys", "gpu-box")
    return tmp_path / "keys"


@pytest.fixture
def dropped() -> set[str]:
    return set()


@pytest.fixture
def allow_list(folder, dropped) -> Iterator[AllowList]:
    context = zmq.Context()
    allow_list = AllowList(context, folder, dropped.__contains__)
    yield allow_list
    allow_list.stop()
    context.destroy(linger=0)


@pytest.fixture
def public(folder) -> bytes:
    public, _ = zmq.curve_keypair()
    keys.pair_actor(folder, "arm", public)
    return public


def test_the_files_answer_at_every_question(allow_list, folder, public):
    stranger, _ = zmq.curve_keypair()
    assert allow_list.callback("", public)
    assert not allow_list.callback("", stranger)
    keys.revoke(folder, "arm")
    assert not allow_list.callback("", public)
    keys.pair_actor(folder, "leg", stranger)
    assert allow_list.callback("", stranger)
    assert allow_list.refused == 2


def test_a_connection_is_called_by_the_actor_whose_key_it_has(allow_list, public):
    assert allow_list.curve_user_id(z85.decode(public)) == NOBODY
    allow_list.callback("", public)
    assert allow_list.curve_user_id(z85.decode(public)) == "arm"
    assert re.fullmatch(ACTOR_ID, NOBODY) is None


@pytest.mark.parametrize("how", ["revoked", "renamed", "dropped"])
def test_what_was_admitted_and_is_not_any_more_is_told_once(allow_list, folder, public, dropped, how):
    allow_list.callback("", public)
    assert allow_list.outdated() == []
    if how == "dropped":
        dropped.add("arm")
    else:
        keys.revoke(folder, "arm")
    if how == "renamed":
        keys.pair_actor(folder, "leg", public)
    assert allow_list.outdated() == [keys.fingerprint(public)]
    assert allow_list.outdated() == []


def test_who_was_dropped_may_not_connect(allow_list, public, dropped):
    dropped.add("arm")
    assert not allow_list.callback("", public)
    dropped.clear()
    assert allow_list.callback("", public)
