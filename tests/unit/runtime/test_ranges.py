import math
from dataclasses import dataclass

import pytest

from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_length, expect_within


@dataclass(frozen=True)
class Settings:
    number: float | None = 1.0
    several: tuple[float, ...] = (1.0, 2.0)


def test_what_is_within_passes_and_null_has_no_number():
    for settings in (Settings(), Settings(None)):
        expect_above(settings, 0.0, "number", "several")
        expect_at_least(settings, 1.0, "number", "several")
        expect_within(settings, 1.0, 2.0, "number", "several")
    expect_length(Settings(), 2, "several")


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_one_line_names_the_setting_what_was_expected_and_what_was_found(value):
    with pytest.raises(ValueError, match=rf"^number: expected a number above 0, found {value}$"):
        expect_above(Settings(value), 0.0, "number")
    with pytest.raises(ValueError, match=r"^number: expected at least 0.5, found"):
        expect_at_least(Settings(value), 0.5, "number")
    with pytest.raises(ValueError, match=r"^number: expected a number within \[0.5, 2\], found"):
        expect_within(Settings(value), 0.5, 2.0, "number")


def test_of_a_list_the_entry_is_named():
    with pytest.raises(ValueError, match=r"^several\[1\]: expected a number above 1.5, found 1.0"):
        expect_above(Settings(several=(2.0, 1.0)), 1.5, "several")
    with pytest.raises(ValueError, match=r"^several: expected a list of 3, found \(1.0, 2.0\)"):
        expect_length(Settings(), 3, "several")


def test_a_condition_of_its_own():
    expect(True, "x", "nothing", 1)
    with pytest.raises(ValueError, match=r"^x: expected something, found 'y'$"):
        expect(False, "x", "something", "y")
