"""The threads that serve actors: the server, the publisher of weights, and the care of the stored logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.publisher import Publisher, publish_now
from steadyhand.runtime.clock import Clock
from steadyhand.transport.intake import Intake
from steadyhand.transport.scrubber import Scrubber
from steadyhand.transport.syncer import Syncer
from steadyhand.transport.weights import Weights
from steadyhand.transport.zmq_server import ZmqServer

__all__ = ["Serving"]


class Serving:
    """The learner's end of the link to its actors. Until `start`, weights only reach the actors of this process.

    Args:
        intake: Stores the records.
        clock: Monotonic.
        log_folders: Returns the folders of all logs, which are checked in the background.
        report_damage: Called with a session and the numbers of its damaged records.
    """

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        log_folders: Callable[[], list[Path]],
        report_damage: Callable[[str, list[int]], None],
    ) -> None:
        self._intake, self._clock = intake, clock
        self._log_folders, self._report_damage = log_folders, report_damage
        self._server: ZmqServer | None = None
        self._publisher: Publisher | None = None
        self._syncer: Syncer | None = None
        self._scrubber: Scrubber | None = None

    def start(self) -> ZmqServer:
        """Listen for actors on other threads, again or for the first time; returns the server with its addresses."""
        intake = self._intake
        self._server = ZmqServer(intake, intake.config, self._clock)
        if self._publisher is not None:  # of a server before this one
            self._publisher.close()
        self._publisher = Publisher(self._server.publish, intake.learner_epoch)
        if self._syncer is None:
            self._syncer = Syncer(intake.sync, intake.config.sync_period_s)
            self._scrubber = Scrubber(self._log_folders, self._report_damage, intake.config.scrub_bytes_s)
        return self._server

    def check(self) -> None:
        """Raise what has ended a thread without which no actor can reach the learner, or get newer weights."""
        for thread in (self._server, self._publisher):
            if thread is not None and thread.failure is not None:
                raise thread.failure

    def publish(self, policy_version: int, tensors: dict[str, NDArray[np.float32]]) -> None:
        """Send weights to the actors; the caller must not change them from now on."""
        if self._publisher is None:
            publish_now(self._intake.publish, Weights(self._intake.learner_epoch, policy_version, tensors))
        else:
            self._publisher.publish(policy_version, tensors)

    def announce(self) -> None:
        """Tell the actors that the progress of training has changed."""
        if self._server is not None:
            self._server.announce()

    def close(self) -> None:
        """Send the newest weights, and end all threads."""
        for thread in (self._publisher, self._server, self._syncer, self._scrubber):
            if thread is not None:
                thread.close()
