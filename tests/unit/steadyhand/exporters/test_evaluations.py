import pytest

from steadyhand.actor.evaluate import Evaluation
from steadyhand.exporters.evaluations import EvaluationExport

ABOUT = {"who": "policy", "policy_version": 12, "seed": 0}


class Taken:
    def __init__(self):
        self.rows = []

    def scalars(self, axis, step, values):
        self.rows.append((axis, step, values))


def test_a_result_is_a_row_over_the_policys_version():
    taken = Taken()
    result = Evaluation(10, 8, 0.8, 0.49, 0.94, 1.5, 900.0, 1, (), labelled=4, agreed=3)
    EvaluationExport(taken).add(result, ABOUT)
    ((axis, step, values),) = taken.rows
    assert (axis, step) == ("policy_version", 12)
    assert values == {
        "evaluation/policy/episodes": 10.0,
        "evaluation/policy/success_rate": 0.8,
        "evaluation/policy/wilson_low": 0.49,
        "evaluation/policy/wilson_high": 0.94,
        "evaluation/policy/throughput_per_hour": 900.0,
        "evaluation/policy/interventions": 1.0,
        "evaluation/policy/median_cycle_time_s": 1.5,
        "evaluation/policy/agreement": 0.75,
    }


@pytest.mark.parametrize("name", ["median_cycle_time_s", "agreement"])
def test_a_number_that_the_result_lacks_is_left_out(name):
    taken = Taken()
    EvaluationExport(taken).add(Evaluation(10, 0, 0.0, 0.0, 0.3, None, 0.0, 0, ()), ABOUT)
    assert f"evaluation/policy/{name}" not in taken.rows[0][2]
