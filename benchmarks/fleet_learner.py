"""The learner of a fleet: the product's own, which trains on a log of earlier practice while it serves.

python -m benchmarks.fleet_learner FOLDER SEGMENT_BYTES [OVERRIDE ...]
"""

from __future__ import annotations

import select
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import CLOCK
from benchmarks.peer import answer
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import LearnerSettings
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.training_settings import compose_training_settings

ANY_PORT = "tcp://127.0.0.1:0"
IDLE_NS = 5_000_000  # a learner without a block to make looks again
SETTINGS = ("policy=state", "learner.start_transitions=1", "learner.device=cpu", "logging.level=error")


def main(folder: Path, segment_bytes: int, overrides: list[str]) -> None:
    """Report the addresses, then train in stretches: each line of the input ends one and begins the next."""
    setup("error")
    settings = compose_training_settings([*SETTINGS, *overrides])
    link = replace(settings.transport, address=ANY_PORT, weights_address=ANY_PORT, segment_bytes=segment_bytes)
    parts = LearnerSettings(settings.learner, settings.algo, settings.policy, link, seed=0)
    with closing(Learner(parts, RunFolder(folder.parent, folder.name))) as learner:
        server = learner.serve()
        learner.step()  # makes the networks
        answer(address=server.address, weights_address=server.weights_address)
        while sys.stdin.readline():
            before, began_ns = _updates(learner), CLOCK.now_ns()
            while not select.select([sys.stdin], [], [], 0)[0]:
                if not learner.step():
                    CLOCK.sleep_until(CLOCK.now_ns() + IDLE_NS)
            answer(
                updates=_updates(learner) - before,
                elapsed_s=(CLOCK.now_ns() - began_ns) / 1e9,
                refused=server.wire_errors,
                quarantined=learner.intake.quarantined(),
            )


def _updates(learner: Learner) -> int:
    return 0 if learner.loop is None else learner.loop.counters.updates


if __name__ == "__main__":
    place, capacity, *words = sys.argv[1:]
    main(Path(place), int(capacity), words)
