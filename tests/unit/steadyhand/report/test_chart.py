import itertools
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.report.chart import (
    Bars,
    Interval,
    Line,
    Share,
    histogram,
    interval_chart,
    line_chart,
    nice_ticks,
    share_chart,
)


def circles(svg: str) -> list[tuple[float, float]]:
    return [(float(node.get("cx")), float(node.get("cy"))) for node in ElementTree.fromstring(svg).iter("circle")]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 20))
def test_ticks_enclose_the_range_and_are_evenly_spaced(low, span, count):
    ticks = nice_ticks(low, low + span, count)
    near = 1e-6 * span + 1e-15 * abs(low)  # a large number has no more digits
    steps = [b - a for a, b in itertools.pairwise(ticks)]
    assert ticks[0] <= low + near
    assert ticks[-1] >= low + span - near
    assert max(steps) == pytest.approx(min(steps), rel=1e-6, abs=1e-9)
    assert len(ticks) <= count + 2


def test_ticks_of_a_single_value():
    assert nice_ticks(0.0, 0.0)[0] == 0.0
    assert len(nice_ticks(5.0, 5.0)) >= 2


def test_a_rate_stands_at_its_place_between_0_and_100_percent():
    rows = [Interval("a", "policy", rate, rate, rate) for rate in (0.0, 0.5, 1.0)]
    left, middle, right = [x for x, _ in circles(interval_chart(rows, "t", required=0.95))]
    assert middle == pytest.approx((left + right) / 2, abs=0.1)
    assert left < middle < right


def test_a_line_ends_at_its_last_value():
    points = [(float(x), x / 10) for x in range(11)]
    svg = line_chart(
        [Line("a", "policy", points), Line("b", "person", [(0.0, 0.0), (10.0, 0.0)])], "t", "x", percent=True
    )
    (_, high), (_, low) = circles(svg)
    assert high < low  # pixels go down


def test_long_lines_are_thinned_and_keep_their_end():
    svg = line_chart(
        [Line("a", "policy", [(float(x), float(x % 7)) for x in range(50_000)] + [(50_000.0, 3.0)])], "t", "x"
    )
    path = re.search(r'class="line policy" d="([^"]*)"', svg)[1]
    assert path.count("L") <= 300
    assert len(svg) < 20_000


def test_values_that_are_not_finite_are_left_out():
    svg = line_chart([Line("a", "policy", [(0.0, 1.0), (1.0, math.nan), (2.0, math.inf), (3.0, 2.0)])], "t", "x")
    assert "nan" not in svg
    assert "inf" not in svg


def test_nothing_to_draw_draws_nothing():
    assert line_chart([Line("a", "policy", [])], "t", "x") == ""
    assert histogram([Bars("a", "policy", [])], "t", "x") == ""


def test_a_histogram_bin_holds_its_own_left_edge():
    # 0.3 / 0.1 is 2.9999999999999996: a value on an edge must not fall into the bin before.
    svg = histogram([Bars("a", "policy", [0.1 * 3, 0.3, 0.2 + 0.1, 1.6])], "t", "x")
    heights = re.findall(r"L[\d.]+,([\d.]+)", re.search(r'class="line policy" d="([^"]*)"', svg)[1])
    assert len(set(heights)) == 3  # empty, three quarters, one quarter


def test_text_is_escaped():
    hostile = '<script>alert("x")</script>&'
    for svg in (
        line_chart(
            [Line(hostile, "policy", [(0.0, 1.0), (1.0, 2.0)])],
            hostile,
            hostile,
            reference=1.0,
            reference_label=hostile,
        ),
        histogram([Bars(hostile, "policy", [1.0, 2.0])], hostile, hostile),
        interval_chart([Interval(hostile, "policy", 0.5, 0.4, 0.6)], hostile, 0.9),
    ):
        assert "<script" not in svg
        ElementTree.fromstring(svg)


def test_a_bar_is_as_long_as_its_share_and_a_heading_has_none():
    rows = [Share("one update", "", None), Share("a < b", "policy", 0.5), Share("c", "person", 0.125)]
    svg = share_chart(rows, "t")
    widths = [float(node.get("width")) for node in ElementTree.fromstring(svg).iter("rect")]
    assert widths[0] == pytest.approx(4 * widths[1])
    assert "50 %" in svg
    assert "12.5 %" in svg
    assert "a &lt; b" in svg


def test_bars_of_nothing_have_no_length():
    (bar,) = ElementTree.fromstring(share_chart([Share("a", "policy", 0.0)], "t")).iter("rect")
    assert float(bar.get("width")) == 0.0
