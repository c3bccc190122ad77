"""CURVE keys in a folder: this machine's own pair, the actors that a learner admits, the learner that an actor trusts.

- ``own.key_secret``: this machine's pair, mode 0600; it never leaves the machine.
- ``public/<name>.key``: its public half, to be copied to the other machine.
- ``actors/<actor_id>.key``: on the learner, who may connect, and which ``actor_id`` that key is.
- ``learner.key``: on the robot's machine, the only learner that its actor talks to.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from steadyhand.runtime.logging import quoted
from steadyhand.transport.wire import ACTOR_ID

__all__ = [
    "KeyPair",
    "KeysError",
    "actor_keys",
    "check_actor_id",
    "fingerprint",
    "learner_key",
    "make_keys",
    "own_keys",
    "pair_actor",
    "pair_learner",
    "public_file",
    "read_public",
    "revoke",
    "secret_file",
]

MAX_FILE_BYTES = 4096
MAX_ACTORS = 64
PUBLIC = re.compile(r'^\s*public-key\s*=\s*"([^"\s]{40})"\s*$', re.MULTILINE)
SECRET = re.compile(r'^\s*secret-key\s*=\s*"([^"\s]{40})"\s*$', re.MULTILINE)
SUFFIX = ".key"


class KeysError(ValueError):
    """Keys that are not there, that others can read, or that cannot be used."""


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair, both halves in Z85: 40 characters for 32 bytes."""

    public: bytes
    secret: bytes = field(repr=False)


def fingerprint(public: bytes) -> str:
    """Return the fingerprint that people compare: 128 bits of the key's SHA-256, in eight groups of four hex digits."""
    digest = hashlib.sha256(z85.decode(public)).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def secret_file(folder: Path) -> Path:
    """Return the path of this machine's key pair."""
    return folder / "own.key_secret"


def public_file(folder: Path) -> Path | None:
    """Return the public half that is to be copied to the other machine; None when it is not there."""
    found = sorted((folder / "public").glob(f"*{SUFFIX}"))
    return found[0] if found else None


def make_keys(folder: Path, name: str) -> KeyPair:
    """Make this machine's pair; `name` is the `actor_id` that the learner will suggest for it.

    Raises:
        KeysError: There is a pair already, or the folder is in a repository.
        OSError: The folder cannot be written.
    """
    check_actor_id(name)
    repository = next((above for above in (folder, *folder.absolute().parents) if (above / ".git").exists()), None)
    if repository is not None:
        raise KeysError(f"{folder}: expected a folder outside of any repository, found {repository}; choose another")
    for each in (folder, folder / "public", folder / "actors"):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    pair = KeyPair(*zmq.curve_keypair())
    secret = secret_file(folder)
    try:
        _write_new(secret, _certificate(pair.public, pair.secret), 0o600)
    except FileExistsError:
        raise KeysError(
            f"{secret}: expected no keys yet, found some; with new ones every pairing would have to be made again. "
            "To give this machine new keys, remove that file first"
        ) from None
    _replace(folder / "public" / f"{name}{SUFFIX}", pair.public)
    return pair


def own_keys(folder: Path) -> KeyPair:
    """Return this machine's pair.

    Raises:
        KeysError: There is none, or others could read it.
    """
    path = secret_file(folder)
    text = _read(path, "run `steadyhand keys make`", private=True)
    public, secret = PUBLIC.search(text), SECRET.search(text)
    if public is None or secret is None:
        raise KeysError(f"{path}: expected a public-key and a secret-key, found others; restore the file or remove it")
    pair = KeyPair(public[1].encode(), secret[1].encode())
    if zmq.curve_public(pair.secret) != pair.public:
        raise KeysError(f"{path}: the two keys are not a pair; restore the file or remove it")
    return pair


def read_public(path: Path) -> bytes:
    """Return the public key in a file of this machine or of another.

    Raises:
        KeysError: The file holds no public key.
    """
    found = PUBLIC.search(_read(path, "copy it here from the other machine"))
    key = b"" if found is None else found[1].encode("ascii", "replace")
    try:
        if len(z85.decode(key)) == 32:
            return key
    except (ValueError, KeyError, struct.error):
        pass
    raise KeysError(f"{path}: expected a public key as `steadyhand keys make` writes it, found none")


def learner_key(folder: Path) -> bytes:
    """Return the public key of the learner that this machine's actor trusts.

    Raises:
        KeysError: None was paired.
    """
    path = folder / f"learner{SUFFIX}"
    if not path.is_file():
        raise KeysError(f"{path}: expected the learner's public key, found none; run `steadyhand keys pair learner`")
    return read_public(path)


def actor_keys(folder: Path) -> dict[bytes, str]:
    """Return the `actor_id` of every public key that a learner admits, from the files as they are now.

    A file that is a link, is not named like an actor or holds no key admits no actor.
    """
    admitted: dict[bytes, str] = {}
    with contextlib.suppress(OSError):
        for path in sorted((folder / "actors").glob(f"*{SUFFIX}"))[:MAX_ACTORS]:
            with contextlib.suppress(KeysError):
                admitted[read_public(path)] = check_actor_id(path.name.removesuffix(SUFFIX))
    return admitted


def pair_actor(folder: Path, actor_id: str, public: bytes) -> Path:
    """Admit a key as `actor_id`, in place of the one that it had before; return the file.

    Raises:
        KeysError: No name for an actor, or the key belongs to another one.
    """
    known = actor_keys(folder)
    if known.get(public, actor_id) != actor_id:
        raise KeysError(f"this key belongs to actor {known[public]} already; revoke that one first")
    if actor_id not in known.values() and len(known) >= MAX_ACTORS:
        raise KeysError(f"expected at most {MAX_ACTORS} paired actors; revoke one first")
    path = folder / "actors" / f"{check_actor_id(actor_id)}{SUFFIX}"
    _replace(path, public)
    return path


def pair_learner(folder: Path, public: bytes) -> Path:
    """Trust one learner, in place of the one before; return the file."""
    path = folder / f"learner{SUFFIX}"
    _replace(path, public)
    return path


def revoke(folder: Path, actor_id: str) -> None:
    """Revoke an actor's admission. A running learner cuts it off within a heartbeat.

    Raises:
        KeysError: It was not paired.
    """
    path = folder / "actors" / f"{check_actor_id(actor_id)}{SUFFIX}"
    if not path.exists():
        paired = ", ".join(sorted(actor_keys(folder).values())) or "none"
        raise KeysError(f"actor {actor_id}: not paired here; paired are: {paired}")
    path.unlink()


def check_actor_id(name: str) -> str:
    """Return `name` when it may be an actor's.

    Raises:
        KeysError: It may not.
    """
    if re.fullmatch(ACTOR_ID, name) is None:
        raise KeysError(f"actor_id: expected 1 to 64 of a-z 0-9 _ . -, starting with a-z or 0-9, found {quoted(name)}")
    return name


def _certificate(public: bytes, secret: bytes | None = None) -> str:
    """Return the text of a key file, in the format of ZeroMQ's own certificates."""
    lines = ["# Steadyhand CURVE key", "curve", f'    public-key = "{public.decode()}"']
    if secret is not None:
        lines[0] += ", SECRET: it belongs to this machine alone"
        lines.append(f'    secret-key = "{secret.decode()}"')
    return "\n".join(lines) + "\n"


def _write_new(path: Path, text: str, mode: int) -> None:
    """Write a new file, with its mode from the first moment on, and sync it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, public: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    _write_new(temporary, _certificate(public), 0o644)
    temporary.replace(path)


def _read(path: Path, mend: str, private: bool = False) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise KeysError(f"{path}: expected a key file, found none ({error.strerror}); {mend}") from None
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE_BYTES:
            raise KeysError(f"{path}: expected a key file of at most {MAX_FILE_BYTES} bytes, found something else")
        if private and (facts.st_mode & 0o077 or facts.st_uid != os.geteuid()):
            found = f"mode {stat.S_IMODE(facts.st_mode):04o}, user {facts.st_uid}"
            raise KeysError(
                f"{path}: expected a file that only user {os.geteuid()} can read (0600), found {found}; "
                "chown and chmod 600 it, and make new keys if another user may have read these"
            )
        return file.read(MAX_FILE_BYTES).decode("ascii", "replace")
