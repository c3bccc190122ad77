import os
import stat

import pytest
import zmq

from steadyhand.transport import keys
from steadyhand.transport.keys import KeysError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "keys"
    keys.make_keys(folder, "robot-pc")
    return folder


def another(tmp_path, name="other", actor_id="gpu-box"):
    return keys.make_keys(tmp_path / name, actor_id)


def test_keys_that_were_made_are_read_again(folder):
    own = keys.own_keys(folder)
    assert zmq.curve_public(own.secret) == own.public
    public = keys.public_file(folder)
    assert public.name == "robot-pc.key"
    assert keys.read_public(public) == own.public
    assert own.secret not in public.read_bytes()


def test_zeromqs_own_reader_takes_the_files(folder):
    from zmq.auth import load_certificate

    own = keys.own_keys(folder)
    assert load_certificate(keys.secret_file(folder)) == (own.public, own.secret)
    assert load_certificate(keys.public_file(folder)) == (own.public, None)


def test_only_the_owner_can_read_the_secret_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        keys.make_keys(tmp_path / "open", "robot-pc")
    finally:
        os.umask(before)
    assert stat.S_IMODE(keys.secret_file(tmp_path / "open").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


def test_keys_are_never_overwritten(folder):
    before = keys.own_keys(folder)
    with pytest.raises(KeysError, match="expected no keys yet"):
        keys.make_keys(folder, "robot-pc")
    assert keys.own_keys(folder) == before
    assert keys.read_public(keys.public_file(folder)) == before.public


def test_a_secret_is_not_shown_by_accident(folder):
    own = keys.own_keys(folder)
    assert own.secret.decode() not in f"{own} {own!r}"


def test_no_keys_in_a_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    with pytest.raises(KeysError, match="outside of any repository"):
        keys.make_keys(tmp_path / "deep" / "keys", "robot-pc")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(folder, mode):
    keys.secret_file(folder).chmod(mode)
    with pytest.raises(KeysError, match=f"0600.*found mode {mode:04o}"):
        keys.own_keys(folder)


def test_a_linked_a_missing_and_a_damaged_secret_are_refused(folder, tmp_path):
    secret = keys.secret_file(folder)
    text = secret.read_text()
    secret.rename(tmp_path / "elsewhere")
    with pytest.raises(KeysError, match="steadyhand keys make"):
        keys.own_keys(folder)
    secret.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysError, match="expected a key file, found none"):
        keys.own_keys(folder)
    secret.unlink()
    for damaged, line in (
        ("", "expected a public-key"),
        (text.replace("secret-key", "key"), "expected a public-key"),
        (text.replace(keys.read_public(keys.public_file(folder)).decode(), another(tmp_path).public.decode()), "pair"),
    ):
        secret.write_text(damaged)
        secret.chmod(0o600)
        with pytest.raises(KeysError, match=line):
            keys.own_keys(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b'public-key = "short"',
        b'public-key = "' + b"~" * 40 + b'"',
        b'public-key = "' + b"#" * 40 + b'"',  # Z85 of more than 32 bits
        b"x" * 5000,
        "public-key = \u2018x\u2019".encode(),
    ],
    ids=range(7),
)
def test_what_holds_no_public_key_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "file.key").write_bytes(content)
    with pytest.raises(KeysError) as caught:
        keys.read_public(tmp_path / "file.key")
    assert "\n" not in str(caught.value)


def test_a_fifo_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "fifo.key")
    with pytest.raises(KeysError, match="something else"):
        keys.read_public(tmp_path / "fifo.key")


def test_a_fingerprint_is_of_the_key_and_readable(folder, tmp_path):
    shown = keys.fingerprint(keys.own_keys(folder).public)
    assert len(shown.split()) == 8
    assert {len(group) for group in shown.split()} == {4}
    assert shown != keys.fingerprint(another(tmp_path).public)


def test_an_actor_is_paired_and_revoked(folder, tmp_path):
    first, second = another(tmp_path), another(tmp_path, "second")
    keys.pair_actor(folder, "arm", first.public)
    assert keys.actor_keys(folder) == {first.public: "arm"}
    keys.pair_actor(folder, "arm", second.public)  # a new key in place of the old one
    assert keys.actor_keys(folder) == {second.public: "arm"}
    with pytest.raises(KeysError, match="belongs to actor arm"):
        keys.pair_actor(folder, "leg", second.public)
    with pytest.raises(KeysError, match="paired are: arm"):
        keys.revoke(folder, "leg")
    keys.revoke(folder, "arm")
    assert keys.actor_keys(folder) == {}


def test_the_number_of_actors_is_bounded(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "MAX_ACTORS", 1)
    keys.pair_actor(folder, "arm", another(tmp_path).public)
    with pytest.raises(KeysError, match="at most 1"):
        keys.pair_actor(folder, "leg", another(tmp_path, "second").public)


@pytest.mark.parametrize("name", ["../x", "/abs", "a/../../b", "nul\0", "a" * 65, "", "Upper", "p\u0435g", "line\n"])
def test_a_name_that_is_no_actors_never_becomes_a_file(folder, tmp_path, name):
    public = another(tmp_path).public
    for attempt in (
        lambda: keys.pair_actor(folder, name, public),
        lambda: keys.revoke(folder, name),
        lambda: keys.make_keys(tmp_path / "new", name),
    ):
        with pytest.raises(KeysError, match="actor_id: expected"):
            attempt()
    assert list((folder / "actors").iterdir()) == []
    assert not (tmp_path / "new").exists()


def test_links_and_strangers_in_the_allow_list_admit_nobody(folder, tmp_path):
    (tmp_path / "outside.key").write_bytes(keys.public_file(folder).read_bytes())
    (folder / "actors" / "linked.key").symlink_to(tmp_path / "outside.key")
    (folder / "actors" / "Bad Name.key").write_bytes(keys.public_file(folder).read_bytes())
    (folder / "actors" / "empty.key").touch()
    assert keys.actor_keys(folder) == {}
    assert keys.actor_keys(tmp_path / "nowhere") == {}


def test_the_learner_is_pinned(folder, tmp_path):
    with pytest.raises(KeysError, match="keys pair learner"):
        keys.learner_key(folder)
    learner = another(tmp_path)
    keys.pair_learner(folder, learner.public)
    assert keys.learner_key(folder) == learner.public
