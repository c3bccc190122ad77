"""The actor's end of the link without a robot: it sends an existing log, or records steps at a fixed rate.

python -m benchmarks.actor_peer FOLDER ADDRESS WEIGHTS_ADDRESS NUMBER CAMERAS SIDE STEPS RATE_HZ [KEYS]
"""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import CLOCK
from benchmarks.peer import answer, wait_for_word
from benchmarks.recording import make_records, make_schema, session_id
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import setup
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.wire import Hello
from steadyhand.transport.zmq_uplink import ZmqUplink

CONNECT_S, POLL_NS, STUCK_S = 30.0, 2_000_000, 120.0


def main(folder: Path, config: TransportConfig, number: int, cameras: int, side: int, steps: int, rate: float) -> None:
    """Connect on request, send, and report when sending began and when all was on the learner's disk [ns]."""
    setup("error")
    path, actor_id = folder / session_id(number), f"arm{number}"
    schema = make_schema(cameras, side)
    writer = LogWriter(path, schema, actor_id, session_id(number), config.segment_bytes) if rate else None
    block = make_records(schema, min(steps, 51), seed=number)
    with closing(LogReader(path)) as reader, closing(ZmqUplink(config, reader)) as uplink:
        answer(ready=True)
        wait_for_word()
        began_ns = CLOCK.now_ns()
        uplink.connect(Hello.of(schema, actor_id, session_id(number)), CONNECT_S)
        connected_ns = CLOCK.now_ns()
        enqueue_ms = []
        if writer is not None:
            began_ns = connected_ns
            for step in range(steps):
                CLOCK.sleep_until(began_ns + round(step / rate * 1e9))
                before_ns = CLOCK.now_ns()
                writer.append(block[step % len(block)])
                uplink.notify()
                enqueue_ms.append((CLOCK.now_ns() - before_ns) / 1e6)
        recorded_ns = CLOCK.now_ns()
        while uplink.progress().next_seq < steps or uplink.progress().durable_seq < steps:
            if CLOCK.now_ns() - recorded_ns > STUCK_S * 1e9:
                raise TimeoutError(f"expected {steps} durable records, found {uplink.progress()}")
            CLOCK.sleep_until(CLOCK.now_ns() + POLL_NS)
        answer(began_ns=began_ns, recorded_ns=recorded_ns, durable_ns=CLOCK.now_ns(), enqueue_ms=enqueue_ms)
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    place, address, weights_address, *numbers = sys.argv[1:]
    session, views, pixels, total = map(int, numbers[:4])
    values = compose([])["transport"]
    link = build(TransportConfig, values, "transport")
    link = replace(
        link, address=address, weights_address=weights_address, keys=numbers[5] if len(numbers) > 5 else None
    )
    main(Path(place), link, session, views, pixels, total, float(numbers[4]))
