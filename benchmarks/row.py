"""One row of the performance table: what was measured, beside a floor of the same run and a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

__all__ = ["Limit", "Row", "at_least", "at_most", "figure_text", "not_measured", "row", "share_of_floor"]


@dataclass(frozen=True)
class Limit:
    """A bound on a row's value, or on the share of its floor that is reached."""

    bound: float
    what: Literal["value", "ratio"] = "value"
    upper: bool = False

    def holds(self, value: float, ratio: float | None) -> bool:
        """Return whether the bound is kept; a share of a floor that was not measured is not."""
        found = value if self.what == "value" else ratio
        if found is None:
            return False
        return found <= self.bound if self.upper else found >= self.bound

    @property
    def text(self) -> str:
        """How the table writes it."""
        sign = "<=" if self.upper else ">="
        return f"{sign} {self.bound:g}" if self.what == "value" else f"{sign} {100 * self.bound:g} % of floor"


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        area: Which part of the benchmark it comes from.
        name: What was measured.
        value: The median over the repeats, or the percentile that `name` says; None when it was not measured.
        unit: Of value and floor.
        floor: What the machine could do at best, measured in the same run; None without one.
        ratio: The share of the floor that is reached: 1 is as fast, or as small, as the floor.
        target: In words; "" without one.
        met: Whether the target is met; None without a target, or without a value.
        note: What the floor is, how it was measured, why a target is missed.
    """

    area: str
    name: str
    value: float | None
    unit: str
    floor: float | None
    ratio: float | None
    target: str
    met: bool | None
    note: str

    def to_json(self) -> dict[str, Any]:
        """Return the row as it stands in the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Row:
        """Return the row that `to_json` described."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})


def at_least(bound: float) -> Limit:
    """The value has to reach this."""
    return Limit(bound)


def at_most(bound: float) -> Limit:
    """The value may be this."""
    return Limit(bound, upper=True)


def share_of_floor(bound: float) -> Limit:
    """This share of the floor has to be reached."""
    return Limit(bound, "ratio")


def row(
    area: str,
    name: str,
    value: float,
    unit: str,
    *,
    floor: float | None = None,
    smaller_is_better: bool = False,
    target: Sequence[Limit] = (),
    note: str = "",
) -> Row:
    """Judge one measured value.

    Args:
        area: Which part of the benchmark.
        name: What was measured.
        value: In `unit`.
        unit: Of value and floor.
        floor: The best that is possible.
        smaller_is_better: A time or a size; without it a rate.
        target: All of them have to hold.
        note: What the floor is, and whatever else a reader has to know.
    """
    ratio = None
    if floor is not None and min(floor, value) > 0.0:
        ratio = floor / value if smaller_is_better else value / floor
    met = all(limit.holds(value, ratio) for limit in target) if target else None
    return Row(area, name, value, unit, floor, ratio, ", ".join(limit.text for limit in target), met, note)


def not_measured(area: str, name: str, unit: str, why: str, target: Sequence[Limit] = ()) -> Row:
    """Return the row of something that could not be measured here."""
    return Row(area, name, None, unit, None, None, ", ".join(limit.text for limit in target), None, why)


def figure_text(value: float | None) -> str:
    """Return a figure with three digits that count; "-" for none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
