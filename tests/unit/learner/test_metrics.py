import json
import math

from steadyhand.learner.metrics import Metrics


def rows(folder):
    return [json.loads(line) for line in (folder / "learner.jsonl").read_text().splitlines()]


class Sink:
    def __init__(self):
        self.calls = []

    def begin(self, update):
        self.calls.append(("begin", update))

    def write(self, update, scalars):
        self.calls.append((update, dict(scalars)))


def test_rows_are_lines_and_go_to_the_sink(tmp_path):
    sink = Sink()
    metrics = Metrics(tmp_path, 0, sink)
    metrics.write(100, {"critic_loss": 0.5, "q_mean": math.nan})
    metrics.write(200, {"critic_loss": 0.25, "q_mean": math.inf})
    metrics.close()
    assert rows(tmp_path) == [
        {"update": 100, "critic_loss": 0.5, "q_mean": None},
        {"update": 200, "critic_loss": 0.25, "q_mean": None},
    ]
    assert sink.calls[0] == ("begin", 0)
    assert [call[1]["critic_loss"] for call in sink.calls[1:]] == [0.5, 0.25]


def test_a_resumed_run_drops_rows_that_are_made_again(tmp_path):
    metrics = Metrics(tmp_path, 0)
    for update in (100, 200, 300):
        metrics.write(update, {"x": update})
    metrics.close()
    with (tmp_path / "learner.jsonl").open("a") as file:
        file.write('{"update": 4')
    sink = Sink()
    metrics = Metrics(tmp_path, 200, sink)
    metrics.write(300, {"x": 0.0})
    metrics.close()
    assert [(row["update"], row["x"]) for row in rows(tmp_path)] == [(100, 100), (200, 200), (300, 0.0)]
    assert sink.calls == [("begin", 200), (300, {"x": 0.0})]
