"""Checks of the keys of a link between two machines: present, private, and paired."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok
from steadyhand.runtime.build import build
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.keys import KeysError, actor_keys, fingerprint, learner_key, own_keys
from steadyhand.transport.socket_thread import InsecureAddressError, check_address

__all__ = ["CHECKS"]

PAIR = "copy the other machine's public file here, then `steadyhand keys pair actor` or `steadyhand keys pair learner`"


def check_addresses(config: Mapping[str, Any]) -> Finding:
    """Check that the link stays within this machine or has keys."""
    transport = build(TransportConfig, config["transport"], "transport")
    try:
        for address in (transport.address, transport.weights_address):
            check_address(address, transport.keys is not None)
    except InsecureAddressError as error:
        return broken("link", str(error), "choose transport=network, or a loopback address")
    return ok("link", "within this machine, without keys" if transport.keys is None else "with keys")


def check_own_keys(config: Mapping[str, Any]) -> Finding | None:
    """Check that this machine has its own keys, and that no other user can read them."""
    folder = _folder(config)
    if folder is None:
        return None
    try:
        return ok("keys", f"private, fingerprint {fingerprint(own_keys(folder).public)}")
    except KeysError as error:
        return broken("keys", str(error), "steadyhand keys make, or correct the file's owner and mode")


def check_pairing(config: Mapping[str, Any]) -> Finding | None:
    """Check that this machine is paired, as a learner's or as a robot's."""
    folder = _folder(config)
    if folder is None:
        return None
    actors = ", ".join(sorted(actor_keys(folder).values()))
    try:
        learner = fingerprint(learner_key(folder)) if (folder / "learner.key").exists() else ""
    except KeysError as error:
        return broken("pairing", str(error), PAIR)
    if not (actors or learner):
        return note("pairing", f"with no machine, in {folder}", PAIR)
    found = [f"actors {actors} may connect here"] if actors else []
    found += [f"learner {learner}"] if learner else []
    return ok("pairing", "; ".join(found))


def _folder(config: Mapping[str, Any]) -> Path | None:
    return build(TransportConfig, config["transport"], "transport").keys_folder


CHECKS = (check_addresses, check_own_keys, check_pairing)
