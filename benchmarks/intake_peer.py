"""The learner's end of the link without the training: server, intake, logs with their syncer, and replay store.

python -m benchmarks.intake_peer FOLDER [KEYS]
"""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.peer import answer, wait_for_word
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import setup
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.intake import Intake
from steadyhand.transport.syncer import Syncer
from steadyhand.transport.wire import Status
from steadyhand.transport.zmq_server import ZmqServer

ANY_PORT = "tcp://127.0.0.1:0"


def main(folder: Path, keys: str | None) -> None:
    """Report the addresses, and serve until standard input ends."""
    setup("error")
    config = build(TransportConfig, compose([])["transport"], "transport")
    config = replace(config, address=ANY_PORT, weights_address=ANY_PORT, keys=keys)
    news, done = threading.Event(), threading.Event()
    store = ReplayStore(capacity=1_000_000)
    with closing(Intake(folder, config, lambda schema: {}, lambda session_id: Status(0, 0, -1, "online"))) as intake:
        intake.sinks.append(lambda session_id, first, end: news.set())
        server, syncer = ZmqServer(intake, config), Syncer(intake.sync, config.sync_period_s)
        with closing(server), closing(syncer):

            def insert() -> None:
                while not done.is_set():
                    news.wait()
                    news.clear()
                    store.advance(store.refresh(intake.readers()))

            inserting = threading.Thread(target=insert, name="insert")
            inserting.start()
            answer(address=server.address, weights_address=server.weights_address)
            while wait_for_word():
                answer(transitions=store.transitions, starts=len(store.online))
            done.set()
            news.set()
            inserting.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
