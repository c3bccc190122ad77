"""Every area is run as it is, with sizes of a test: each line of the benchmark, real processes included."""

import json
import math
from xml.etree import ElementTree

import pytest

from benchmarks.bench import AREAS
from benchmarks.measure import Plan
from benchmarks.row import Row

# What each area must say something about, whatever the figures are.
EXPECTED = {
    "learner": (
        "update/s, state, 2 critics",
        "critic steps/s, state, 10 critics",
        "small_cnn frozen",
        "avoidable item",
    ),
    "twin": ("2 critics, state, one core, compiled", "10 critics, 2 drawn, state, one core, uncompiled"),
    "gpu": ("state, 2 critics", "efficientnet_lite0 cached", "small_cnn trained"),
    "replay": ("observation and next", "with the DrQ shift", "kB a two-camera step on the disk"),
    "transport": ("transitions/s, durable", "CURVE keys", "kB on the wire a transition, raw", "lossy frames"),
    "weights": ("training thread blocked, state, p99", "swap between two steps, state, p99"),
    "control": ("enqueue a two-camera step, p99", "own work a step, state", "latency, state", "wrist, side, front"),
    "period": ("learner training", "killed and restarted", "learner absent", "outside resets"),
    "launch": ("first update", "first control step"),
    "mock": ("reach, no images", "two 128x128 views"),
    "scaling": ("update, 120 records", "resume, 120 records", "2 actors", "4 cameras"),
}
RATES = ("1/s",)


def sound(row: Row) -> bool:
    if row.value is None:
        return bool(row.note) and row.met is None
    figures = [row.value, *(each for each in (row.bound, row.ratio) if each is not None)]
    judged = row.met is None if not row.target else isinstance(row.met, bool)
    return judged and all(math.isfinite(each) and each >= 0.0 for each in figures)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("area", AREAS)
def test_an_area_gives_well_formed_rows(tmp_path, area):
    rows = list(AREAS[area](Plan(True, tmp_path / "work", tmp_path / "results")))
    assert {row.area for row in rows} == {area}
    assert [row.name for row in rows if not sound(row)] == []
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    for part in EXPECTED[area]:
        assert any(part in name for name in names), part
    for row in rows:
        if row.ratio is not None:
            value, bound = (row.value, row.bound) if row.unit in RATES else (row.bound, row.value)
            assert row.ratio == pytest.approx(value / bound)
        json.dumps(row.to_json())
    if area == "learner":
        profile = json.loads((tmp_path / "results" / "update_profile.json").read_text())
        for found in profile.values():
            assert sum(found["shares"].values()) == pytest.approx(1.0, abs=0.02)
            assert found["shares"]["critics: gradients"] > 0.0
        drawing = ElementTree.fromstring((tmp_path / "results" / "update_profile.svg").read_text())
        assert len(list(drawing.iter("{http://www.w3.org/2000/svg}rect"))) > 10
