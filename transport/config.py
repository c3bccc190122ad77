"""Settings of the link and of its logs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["TransportConfig"]

POSITIVE = (
    "heartbeat_s",
    "liveness_heartbeats",
    "window_records",
    "max_frame_bytes",
    "max_weights_bytes",
    "backoff_min_s",
    "backoff_max_s",
    "segment_bytes",
    "sync_period_s",
    "scrub_bytes_s",
    "quota_bytes",
)


@dataclass(frozen=True)
class TransportConfig:
    """Addresses of the link between actor and learner, bounds on the data in transit, and sizes of a log's files."""

    # Where the learner listens; the actor connects there.
    address: str  # records, acknowledgements and heartbeats
    weights_address: str  # weights broadcast
    # A side that was silent for heartbeat_s * liveness_heartbeats counts as gone.
    heartbeat_s: float
    liveness_heartbeats: int
    # Bounds on the data in transit.
    window_records: int  # records sent and not yet acknowledged
    max_frame_bytes: int  # records of one message; what a learner takes from a peer
    max_weights_bytes: int  # weights of one message; what an actor takes from its learner
    # Waiting between two attempts to reach the learner: doubles from min to max, with jitter.
    backoff_min_s: float
    backoff_max_s: float
    linger_s: float  # time that closing sockets may take to send what is queued
    segment_bytes: int  # one file of a log, preallocated
    # Storage.
    sync_period_s: float  # between two syncs of the learner's logs; an actor forgets only what is synced
    scrub_bytes_s: float  # bytes of the learner's logs whose checksums are read again per second
    quota_bytes: int  # bytes that wait in the actor's log; from this size on no new episode begins
    min_free_bytes: int  # bytes that a run leaves free on its disk
    keys: str | None = None  # folder of CURVE keys, see `transport.keys`; null: only loopback addresses are used
    host: str | None = None  # the learner's machine; a configuration file builds both addresses from it

    def __post_init__(self) -> None:
        expect_above(self, 0, *POSITIVE)
        expect_at_least(self, 0, "linger_s", "min_free_bytes")
        if self.backoff_max_s < self.backoff_min_s:
            raise ValueError(
                f"backoff_max_s: expected at least backoff_min_s = {self.backoff_min_s}, found {self.backoff_max_s}"
            )
        if self.keys is not None and not self.keys.strip():
            raise ValueError("keys: expected a folder, or null for a link within this machine, found an empty text")

    @property
    def keys_folder(self) -> Path | None:
        """Return the folder of the keys; None when this link has none."""
        return None if self.keys is None else Path(self.keys).expanduser()

    @property
    def liveness_s(self) -> float:
        """Return the silence after which the other side counts as gone, in seconds."""
        return self.heartbeat_s * self.liveness_heartbeats
