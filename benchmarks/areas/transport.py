"""The link: two-camera transitions per second between two processes, until they are on the learner's disk."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, nullcontext
from dataclasses import replace
from statistics import median

from benchmarks.bounds import disk_bytes_per_s, loopback_bytes_per_s
from benchmarks.byte_counter import ByteCounter
from benchmarks.link import deliver, key_folders, listening
from benchmarks.measure import Plan
from benchmarks.recording import make_schema, write_log
from benchmarks.row import Row, at_least, at_most, not_measured, row
from steadyhand.transport.record import record_dtype

__all__ = ["rows"]

AREA = "transport"
CAMERAS = 2
SEGMENT_BYTES = 1 << 27
ROUNDS = 3


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    side, steps = plan.pick(128, 48), plan.pick(4000, 40)
    record_bytes = record_dtype(make_schema(CAMERAS, side)).itemsize
    found: dict[str, list[float]] = {"plain": [], "keys": [], "loopback": [], "disk": []}
    for _ in range(plan.pick(ROUNDS, 1)):
        found["plain"].append(_transitions_per_s(plan, side, steps, keyed=False))
        found["keys"].append(_transitions_per_s(plan, side, steps, keyed=True))
        found["loopback"].append(loopback_bytes_per_s(record_bytes, steps) / record_bytes)
        found["disk"].append(disk_bytes_per_s(plan.new_folder("disk"), record_bytes * steps) / record_bytes)
    rates = {name: median(values) for name, values in found.items()}
    bounds = (
        f"bound: the lower of a bare loopback socket's rate, {rates['loopback']:,.0f}/s, and the rate at which the "
    )
    bounds += f"same bytes get onto this disk, {rates['disk']:,.0f}/s; median of {len(found['plain'])}"
    bound = min(rates["loopback"], rates["disk"])
    what = "from HELLO to the last record synced, which is decoded, checked and in the replay store by then"
    for key, name in (("plain", "two-camera transitions/s, durable"), ("keys", "the same with CURVE keys")):
        note = f"{what}; {bounds}"
        yield row(AREA, name, rates[key], "1/s", bound=bound, target=(at_least(2000.0),), note=note)
    yield _bytes_per_transition(plan, side, record_bytes)
    yield not_measured(
        AREA,
        "kB on the wire a transition, lossy frames",
        "kB",
        "there is no lossy codec: frames are recorded, sent and stored as they were measured",
        (at_most(25.0),),
    )


def _transitions_per_s(plan: Plan, side: int, steps: int, keyed: bool) -> float:
    folder = plan.new_folder("link")
    write_log(folder / "actor", make_schema(CAMERAS, side), steps, SEGMENT_BYTES)
    with key_folders("arm0") if keyed else nullcontext() as both, listening(folder / "learner", both) as (link, peer):
        (delivery,) = deliver(link, folder / "actor", [0], CAMERAS, side, steps)
        peer.tell()
        transitions = peer.answer()["transitions"]
    assert 0 < transitions <= steps
    return steps / ((delivery.durable_ns - delivery.began_ns) / 1e9)


def _bytes_per_transition(plan: Plan, side: int, record_bytes: int) -> Row:
    """Count the bytes in both directions, including acknowledgements and heartbeats."""
    folder, steps = plan.new_folder("bytes"), plan.pick(1000, 20)
    write_log(folder / "actor", make_schema(CAMERAS, side), steps, SEGMENT_BYTES)
    with listening(folder / "learner") as (link, _), closing(ByteCounter(link.address)) as counter:
        deliver(replace(link, address=counter.address), folder / "actor", [0], CAMERAS, side, steps)
        counted = (counter.up + counter.down) / steps / 1e3
    return row(
        AREA,
        "kB on the wire a transition, raw frames",
        counted,
        "kB",
        bound=record_bytes / 1e3,
        smaller_is_better=True,
        target=(at_most(100.0),),
        note="both ways, handshake and acknowledgements included; bound: the record itself",
    )
