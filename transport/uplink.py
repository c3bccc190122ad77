"""The actor's end of the link, as the control loop sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from steadyhand.runtime.logging import get_logger
from steadyhand.transport import weights as weights_codec
from steadyhand.transport.outbox import Behind, Rejected
from steadyhand.transport.weights import Weights, WeightsError
from steadyhand.transport.wire import Accept, Hello, Status

__all__ = ["Behind", "Progress", "Rejected", "Uplink", "UplinkTimeout", "WeightsBox"]

_log = get_logger("transport.uplink")


class UplinkTimeout(TimeoutError):  # noqa: N818 - the name that the standard library's own one has
    """The learner did not answer in time."""


@dataclass(frozen=True)
class Progress:
    """Progress of this session."""

    connected: bool = False
    next_seq: int = 0  # everything before it is in the learner's log
    durable_seq: int = 0  # everything before it survives a power cut there, so the actor may forget it
    updates: int = 0
    policy_version: int = 0  # newest version that the learner has published
    transitions_allowed: int = -1  # steps this session may have recorded before it waits (lockstep mock); -1: no limit
    learner_phase: str = ""
    transitions: int = 0  # control steps of online training that the learner has, of every actor
    quarantined: int = 0  # records of this session that were damaged or unfit, and are not trained on

    @classmethod
    def of(cls, connected: bool, next_seq: int, status: Status) -> Progress:
        """Return the progress in the learner's status."""
        return cls(
            connected,
            next_seq,
            status.durable_seq,
            status.updates,
            status.policy_version,
            status.transitions_allowed,
            status.learner_phase,
            status.transitions,
            status.quarantined,
        )


class Uplink(Protocol):
    """Carries the actor's log to the learner, and weights back.

    `notify`, `progress` and `latest_weights` are for the control loop: they never wait for the learner.
    """

    def connect(self, hello: Hello, timeout_s: float) -> Accept:
        """Introduce the session and return the learner's answer; from then on records flow by themselves.

        Raises:
            Rejected: The learner refuses, with the reasons.
            Behind: The log has lost its end; skip it to `next_seq` and connect again.
            UplinkTimeout: The learner did not answer within `timeout_s`.
            HandshakeError: The learner is there, but the two sides' keys do not fit.
            ValueError: The HELLO is not that of the log's session.
        """
        ...

    def notify(self) -> None:
        """Announce that the log has grown."""
        ...

    def progress(self) -> Progress:
        """Return the learner's last report."""
        ...

    def latest_weights(self) -> Weights | None:
        """Return the newest weights if they have not been taken yet; never older ones than before."""
        ...

    def close(self) -> None:
        """Leave. Records that were not sent stay in the log."""
        ...


class WeightsBox:
    """Holds the newest weights until they are taken. One thread puts, another takes."""

    def __init__(self) -> None:
        self.ignored = 0  # weights that were damaged, or not newer
        self._newest: Weights | None = None
        self._taken: Weights | None = None

    def put(self, raw: bytes) -> None:
        """Decode `raw` and keep it if it is newer than all before."""
        try:
            weights = weights_codec.decode(raw)
        except WeightsError as error:
            self.ignored += 1
            if self.ignored & (self.ignored - 1) == 0:  # the 1st, 2nd, 4th, 8th ...: a sender must not fill the disk
                _log.warning("%s (%d ignored in all)", error, self.ignored)
            return
        if weights_codec.newer(weights, self._newest):
            self._newest = weights
        else:
            self.ignored += 1

    def lacks(self, learner_epoch: int, policy_version: int) -> bool:
        """Return whether weights of this version (counted from 1) or a newer one have yet to come."""
        newest = self._newest
        known = (-1, 0) if newest is None else (newest.learner_epoch, newest.policy_version)
        return policy_version > 0 and (learner_epoch, policy_version) > known

    def take(self) -> Weights | None:
        """Return the newest weights, once."""
        newest = self._newest
        if newest is self._taken:
            return None
        self._taken = newest
        return newest
