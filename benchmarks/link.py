"""The link between real processes: one learner's end, and any number of actors' ends."""

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
    """Where a learner's end listens, and where the keys are."""

    address: str
    weights_address: str
    actor_keys: str | None = None


@dataclass(frozen=True)
class Delivery:
    """What one actor saw; times by the machine's monotonic clock [ns]."""

    began_ns: int
    recorded_ns: int
    durable_ns: int
    enqueue_ms: list[float]


@contextmanager
def listening(folder: Path, both_keys: tuple[str, str] | None = None) -> Iterator[tuple[Link, Peer]]:
    """Run a learner's end that stores below `folder`; with the keys of (learner, actor) nobody else may come."""
    arguments = [folder] if both_keys is None else [folder, both_keys[0]]
    with Peer("benchmarks.intake_peer", arguments) as peer:
        where = peer.answer()
        yield Link(where["address"], where["weights_address"], both_keys[1] if both_keys else None), peer


def deliver(
    link: Link, folder: Path, numbers: Sequence[int], cameras: int, side: int, steps: int, rate_hz: float = 0.0
) -> list[Delivery]:
    """Let actors send `steps` records each, all at once, and wait until the learner's end has them on its disk.

    Args:
        link: Where to.
        folder: Holds the actors' logs.
        numbers: Of their sessions.
        cameras: Of each record.
        side: Of each frame, in pixels.
        steps: Records of each actor.
        rate_hz: How many a second each actor records; 0 = they are in its log already.
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
    """Make keys for a learner and an actor that are paired, outside of any repository."""
    with TemporaryDirectory() as folder:
        learner, actor = Path(folder) / "learner", Path(folder) / "actor"
        keys.make_keys(learner, "learner")
        keys.make_keys(actor, actor_id)
        keys.pair_actor(learner, actor_id, keys.own_keys(actor).public)
        keys.pair_learner(actor, keys.own_keys(learner).public)
        yield str(learner), str(actor)
