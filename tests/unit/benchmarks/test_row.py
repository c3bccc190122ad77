import json

import pytest

from benchmarks.row import Row, at_least, at_most, figure_text, not_measured, row, share_of_bound

KEYS = {"name", "value", "unit", "bound", "ratio", "target", "met"}


def test_a_rate_reaches_a_share_of_its_floor():
    found = row("a", "b", 50.0, "1/s", bound=200.0, target=(at_least(40.0),))
    assert (found.ratio, found.met, found.target) == (0.25, True, ">= 40")


def test_a_time_that_is_twice_the_floor_reaches_half_of_it():
    assert row("a", "b", 4.0, "ms", bound=2.0, smaller_is_better=True).ratio == 0.5


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (9.9, (at_least(10.0),), False),
        (10.0, (at_least(10.0),), True),
        (2.1, (at_most(2.0),), False),
        (2.0, (at_most(2.0),), True),
        (8.0, (share_of_bound(0.8),), True),
        (7.9, (share_of_bound(0.8),), False),
        (8.0, (at_least(8.0), share_of_bound(0.9)), False),
        (1.0, (), None),
    ],
)
def test_a_target_is_met_when_every_bound_is_kept(value, target, met):
    assert row("a", "b", value, "1/s", bound=10.0, target=target).met is met


def test_a_share_of_a_floor_that_is_not_there_is_not_reached():
    found = row("a", "b", 5.0, "1/s", target=(share_of_bound(0.5),))
    assert (found.ratio, found.met) == (None, False)


def test_what_was_not_measured_has_no_verdict_and_says_why():
    found = not_measured("a", "b", "kB", "no codec", (at_most(25.0),))
    assert (found.value, found.met, found.note, found.target) == (None, None, "no codec", "<= 25")


def test_a_row_survives_the_file():
    found = row("a", "b", 50.0, "1/s", bound=200.0, target=(at_least(40.0), share_of_bound(0.2)), note="n")
    data = json.loads(json.dumps(found.to_json()))
    assert data.keys() >= KEYS
    assert Row.from_json(data) == found


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0123456, "0.0123"), (12.345, "12.3"), (1234.5, "1,234"), (0.0, "0")]
)
def test_a_figure_has_three_digits(value, text):
    assert figure_text(value) == text
