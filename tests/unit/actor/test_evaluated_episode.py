import json

import pytest

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.evaluated_episode import EvaluatedEpisode
from steadyhand.actor.starts import Start
from steadyhand.transport.record import Phase


def summary(success=True, judged_by="task", task_success=None, human_steps=0, stop_reason=""):
    return EpisodeSummary(
        episode_id=0,
        phase=Phase.EVAL,
        steps=10,
        episode_return=1.0,
        success=success,
        human_steps=human_steps,
        stop_reason=stop_reason,
        duration_s=1.0,
        policy_version=3,
        judged_by=judged_by,
        task_success=task_success,
    )


@pytest.mark.parametrize(
    ("episode", "machine", "operator", "counts", "judged_by"),
    [
        (EvaluatedEpisode(summary(True, task_success=True)), True, None, True, "task"),
        (EvaluatedEpisode(summary(True, task_success=True), label=False), True, False, False, "operator"),
        (EvaluatedEpisode(summary(False, task_success=False), label=True), False, True, True, "operator"),
        (EvaluatedEpisode(summary(True, "operator", False)), False, True, True, "operator"),
        (EvaluatedEpisode(summary(True, "operator", None)), None, True, True, "operator"),
        (EvaluatedEpisode(summary(True, "reward", False)), False, None, False, "task"),
        (EvaluatedEpisode(summary(True, "reward", None)), True, None, True, "reward"),
        (EvaluatedEpisode(summary(True, task_success=True, human_steps=1)), True, None, False, "task"),
        (EvaluatedEpisode(summary(True, task_success=True, human_steps=1), label=True), True, True, False, "operator"),
        (EvaluatedEpisode(summary(True, "operator", None, stop_reason="force")), None, True, False, "operator"),
    ],
)
def test_both_verdicts_and_the_one_that_counts(episode, machine, operator, counts, judged_by):
    row = episode.row()
    assert (row["machine_success"], row["operator_success"]) == (machine, operator)
    assert (row["success"], row["judged_by"]) == (counts, judged_by)
    assert row["intervened"] == (episode.summary.human_steps > 0)


def test_it_survives_json():
    start = Start(7, ((0.5, 0.0, 0.2, 1.0, 0.0, 0.0, 0.0),), "left")
    for one in (EvaluatedEpisode(summary()), EvaluatedEpisode(summary(), False, start, discarded=2)):
        assert EvaluatedEpisode.from_json(json.loads(json.dumps(one.to_json()))) == one
