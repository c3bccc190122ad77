"""Make and pair the keys of a link between two machines.

keys make                    this machine's pair; prints the public file and its fingerprint
keys pair actor FILE         on the learner: admit the robot's machine whose public key is in FILE
keys pair learner FILE       on the robot's machine: trust the learner whose public key is in FILE
keys list                    this machine's fingerprint, and the paired machines
keys revoke ACTOR_ID         on the learner: admit that machine no longer; it is cut off at once
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor_id import host_actor_id
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import quoted
from steadyhand.terminal import say, table_text
from steadyhand.transport.keys import (
    KeysError,
    actor_keys,
    check_actor_id,
    fingerprint,
    learner_key,
    make_keys,
    own_keys,
    pair_actor,
    pair_learner,
    public_file,
    read_public,
    revoke,
    secret_file,
)

EPILOG = (
    "Keys are in transport.keys of transport=network: ~/.config/steadyhand/keys. Run `keys make` on both machines,\n"
    "copy the public file of each to the other, pair both ways, and compare the fingerprint that `pair` shows with\n"
    "the one of `this machine` in `keys list` over there. Then start both sides with\n"
    "transport=network transport.host=<the learner's address>.\n"
    "example: steadyhand keys pair actor robot-pc.key"
)
WAYS = "make, pair actor FILE, pair learner FILE, list, revoke ACTOR_ID"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the folder and for `pair`."""
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the keys are, in place of the user's own")
    parser.add_argument("--actor-id", metavar="NAME", help="pair actor: as whom, in place of the file's name")
    parser.add_argument("--fingerprint", metavar="HEX", help="pair: the fingerprint seen over there, instead of asking")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run the subcommand; the exit status is 1 if the user did not confirm a fingerprint."""
    action, *words = overrides or ("",)
    _check_options(options, action, words[:1] == ["actor"])
    folder = options.folder or Path(compose(["transport=network", "transport.host=."])["transport"]["keys"])
    folder = folder.expanduser()
    match action, words:
        case "make", []:
            own = make_keys(folder, host_actor_id())
            say(f"made {secret_file(folder)}, which must stay here, and the public half {public_file(folder)}")
            say(f"fingerprint: {fingerprint(own.public)}")
            say("next: copy the public half to the other machine, and there `steadyhand keys pair actor` or `learner`")
        case "pair", ["actor", name]:
            public = read_public(Path(name))
            actor_id = check_actor_id(options.actor_id or Path(name).name.removesuffix(".key"))
            if not _confirmed(f"actor {actor_id}", public, options.fingerprint):
                return 1
            say(f"paired: {pair_actor(folder, actor_id, public)}")
        case "pair", ["learner", name]:
            public = read_public(Path(name))
            if not _confirmed("the learner", public, options.fingerprint):
                return 1
            say(f"paired: {pair_learner(folder, public)}")
        case "list", []:
            say(table_text(("who", "fingerprint", "file"), _rows(folder)))
        case "revoke", [actor_id]:
            revoke(folder, actor_id)
            say(f"revoked: actor {actor_id}; a learner that runs cuts it off within a heartbeat")
        case _:
            raise KeysError(f"expected one of: {WAYS}; found {quoted(' '.join(overrides))}")
    return 0


def _check_options(options: argparse.Namespace, action: str, is_actor: bool) -> None:
    """Refuse an option that the action would ignore."""
    ignored = "--fingerprint" if options.fingerprint is not None and action != "pair" else ""
    if options.actor_id is not None and not (action == "pair" and is_actor):
        ignored = "--actor-id"
    if ignored:
        belongs = "pair actor FILE" if ignored == "--actor-id" else "pair"
        raise KeysError(f"{ignored}: expected with `{belongs}` alone, found with {quoted(action)}")


def _confirmed(who: str, public: bytes, expected: str | None) -> bool:
    """Return whether the fingerprint is the one that the other machine shows."""
    found = fingerprint(public)
    say(f"{who}: fingerprint {found}")
    if expected is not None:
        if "".join(expected.split()).lower() != found.replace(" ", ""):
            raise KeysError(f"fingerprint: expected {expected}, found {found}; this is not that machine's key")
        return True
    if not sys.stdin.isatty():
        raise KeysError("fingerprint: no terminal to confirm it on; give the one seen over there with --fingerprint")
    say("Is that what `steadyhand keys list` shows for `this machine` over there? [y/N] ")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("not paired")
    return False


def _rows(folder: Path) -> list[tuple[str, str, str]]:
    own = own_keys(folder)
    rows = [("this machine", fingerprint(own.public), str(public_file(folder) or "-"))]
    learner = folder / "learner.key"
    if learner.exists():
        rows.append(("learner", fingerprint(learner_key(folder)), str(learner)))
    for public, actor_id in sorted(actor_keys(folder).items(), key=lambda item: item[1]):
        rows.append((f"actor {actor_id}", fingerprint(public), str(folder / "actors" / f"{actor_id}.key")))
    return rows
