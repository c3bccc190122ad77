import math

import numpy as np
import pytest

from steadyhand.transport.record import Kind, Phase, record_dtype
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.schema import FieldSpec, Schema
from tests.transport_kit import ACTION, SCHEMA, record

CHECK = RecordCheck(SCHEMA)


def rows(*several: np.ndarray) -> np.ndarray:
    return np.stack(several)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"phase": Phase.EVAL, "kind": Kind.FINAL},
        {"reward": -1e8, "policy_version": -1},
        {"action": [1.0, -1.0005]},
        {"valid": False, "action": [40.0, 0.0], "observation/state": [1e30, 0, 0]},
        {"observation/state": [1e8, -1e8, 0.0]},
    ],
)
def test_possible_records_are_fit(columns):
    assert CHECK.faults(rows(record(**columns))) == {}


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"observation/state": [0, math.nan, 0]}, "observation/state is not finite"),
        ({"observation/state": [0, 2e9, 0]}, "observation/state is out of range"),
        ({"action": [0, math.inf]}, "action is not finite"),
        ({"action": [0, 1.1]}, "action is outside [-1, 1]"),
        ({"valid": False, "reward": math.nan}, "reward is not finite"),
        ({"kind": 3}, "an unknown kind"),
        ({"kind": Kind.LOST}, "an unknown kind"),
        ({"stamp_ns": -1}, "an impossible stamp_ns"),
    ],
)
def test_the_first_fault_is_named(columns, fault):
    assert CHECK.faults(rows(record(), record(**columns), record())) == {1: fault}


def test_a_flag_that_is_neither_0_nor_1():
    row = record()
    row.reshape(1).view(np.uint8)[row.dtype.fields["success"][1]] = 7
    assert CHECK.faults(rows(row)) == {0: "success is neither 0 nor 1"}


def test_stored_records_may_be_lost_ones():
    assert CHECK.faults(rows(record(kind=Kind.LOST, valid=False)), stored=True) == {}


def test_a_sensor_may_overshoot_its_range_but_not_without_limit():
    force = FieldSpec("force", (1,), "float32", -100.0, 100.0, "N", "tool")
    schema = Schema((force,), ACTION, 0, (), 0.1)
    row = np.zeros(2, record_dtype(schema))
    row["valid"] = True
    row["observation/force"][:, 0] = 250.0, 5000.0
    assert RecordCheck(schema).faults(row) == {1: "observation/force is out of range"}


def test_the_named_columns_are_enough():
    source = {name: rows(record(), record(reward=math.nan))[name] for name in CHECK.names}
    assert CHECK.faults(source) == {1: "reward is not finite"}


@pytest.mark.parametrize("seed", range(20))
def test_the_quick_check_never_passes_what_the_thorough_one_refuses(seed):
    rng = np.random.default_rng(seed)
    some = rows(*(record(step=step) for step in range(8)))
    raw = some.view(np.uint8)
    for _ in range(200):
        damaged = some.copy()
        place = int(rng.integers(len(raw) // 8 * 8))
        damaged.view(np.uint8)[place] ^= 1 << int(rng.integers(8))
        thorough = CHECK.faults({name: damaged[name] for name in CHECK.names})
        assert CHECK.faults(damaged) == thorough
