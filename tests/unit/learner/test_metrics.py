import json
import math

from steadyhand.learner.metrics import Metrics


def rows(folder):
    return [json.loads(line) for line in (folder / "learner.jsonl").read_text().splitlines()]


def test_rows_are_lines_and_board_events(tmp_path):
    metrics = Metrics(tmp_path, 0)
    metrics.write(100, {"critic_loss": 0.5, "q_mean": math.nan})
    metrics.write(200, {"critic_loss": 0.25, "q_mean": math.inf})
    metrics.close()
    assert rows(tmp_path) == [
        {"update": 100, "critic_loss": 0.5, "q_mean": None},
        {"update": 200, "critic_loss": 0.25, "q_mean": None},
    ]
    assert list((tmp_path / "tensorboard").glob("events*"))


def test_a_resumed_run_drops_rows_that_are_made_again(tmp_path):
    metrics = Metrics(tmp_path, 0)
    for update in (100, 200, 300):
        metrics.write(update, {"x": update})
    metrics.close()
    with (tmp_path / "learner.jsonl").open("a") as file:
        file.write('{"update": 4')
    metrics = Metrics(tmp_path, 200)
    metrics.write(300, {"x": 0.0})
    metrics.close()
    assert [(row["update"], row["x"]) for row in rows(tmp_path)] == [(100, 100), (200, 200), (300, 0.0)]
