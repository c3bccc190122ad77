"""The link between real processes: the end of one learner, and the ends of any number of actors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peer import Peer
from steadyhand.transport import keys

__all__ = ["Delivery", "Link", "deliver", "key_folders", "listening"]


@dataclass(frozen=True)
class Link:
    """The addresses of a learner's end, and the folder of the keys."""

    address: str
    weights_address: str
    actor_keys: str | None = None


@dataclass(frozen=True)
class Delivery:
    """The measurements of one actor; times of the machine's monotonic clock [ns]."""

    began_ns: int
    recorded_ns: int
    durable_ns: int
    enqueue_ms: list[float]


@contextmanager
def listening(folder: Path, both_keys: tuple[str, str] | None = None) -> Iterator[tuple[Link, Peer]]:
    """Run a learner's end that stores below `folder`; with keys of (learner, actor) it admits only that actor."""
    arguments = [folder] if both_keys is None else [folder, both_keys[0]]
    with Peer("benchmarks.intake_peer", arguments) as peer:
        where = peer.answer()
        yield Link(where["address"], where["weights_address"], both_keys[1] if both_keys else None), peer


def deliver(
    link: Link, folder: Path, numbers: Sequence[int], cameras: int, side: int, steps: int, rate_hz: float = 0.0
) -> list[Delivery]:
    """Let actors send `steps` records each in parallel, and wait until all are on the learner's disk.

    Args:
        link: The learner's end.
        folder: Folder of the actors' logs.
        numbers: Numbers of the actors' sessions.
        cameras: Cameras per record.
        side: Side of each square image [pixels].
        steps: Records per actor.
        rate_hz: Rate at which each actor records; 0 = the records are already in its log.
    """
    with ExitStack() as stack:
        peers = []
        for number in numbers:
            arguments = [folder, link.address, link.weights_address, number, cameras, side, steps, rate_hz]
            arguments += [] if link.actor_keys is None else [link.actor_keys]
            peers.append(stack.enter_context(Peer("benchmarks.actor_peer", arguments)))
        for peer in peers:
            peer.answer()
        for peer in peers:
            peer.tell()
        return [Delivery(**peer.answer()) for peer in peers]


@contextmanager
def key_folders(actor_id: str) -> Iterator[tuple[str, str]]:
    """Make keys of a paired learner and actor, outside any repository."""
    with TemporaryDirectory() as folder:
        learner, actor = Path(folder) / "learner", Path(folder) / "actor"
        keys.make_keys(learner, "learner")
        keys.make_keys(actor, actor_id)
        keys.pair_actor(learner, actor_id, keys.own_keys(actor).public)
        keys.pair_learner(actor, keys.own_keys(learner).public)
        yield str(learner), str(actor)
