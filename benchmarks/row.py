"""One row of the performance table: a measurement beside its target and a bound from the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

__all__ = ["Limit", "Row", "at_least", "at_most", "figure_text", "not_measured", "row", "share_of_bound"]


@dataclass(frozen=True)
class Limit:
    """A limit on a row's value, or on its share of the bound."""

    limit: float
    what: Literal["value", "ratio"] = "value"
    upper: bool = False

    def holds(self, value: float, ratio: float | None) -> bool:
        """Return whether the limit is kept; False for a share of an unmeasured bound."""
        found = value if self.what == "value" else ratio
        if found is None:
            return False
        return found <= self.limit if self.upper else found >= self.limit

    @property
    def text(self) -> str:
        """The limit as text for the table."""
        sign = "<=" if self.upper else ">="
        return f"{sign} {self.limit:g}" if self.what == "value" else f"{sign} {100 * self.limit:g} % of bound"


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        area: The area of the benchmark.
        name: The name of the measurement.
        value: The median over the repeats, or the percentile in `name`; None if it was not measured.
        unit: Unit of value and bound.
        bound: The best performance of the machine, measured in the same run; None without a bound.
        ratio: The share of the bound: 1 means as fast, or as small, as the bound.
        target: The target as text; "" without a target.
        met: Whether the target is met; None without a target or a value.
        note: The kind of bound, the method, or the reason of a missed target.
    """

    area: str
    name: str
    value: float | None
    unit: str
    bound: float | None
    ratio: float | None
    target: str
    met: bool | None
    note: str

    def to_json(self) -> dict[str, Any]:
        """Return the row in the form of the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Row:
        """Return the row of a value that `to_json` returned."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})


def at_least(limit: float) -> Limit:
    """Return a lower limit of the value."""
    return Limit(limit)


def at_most(limit: float) -> Limit:
    """Return an upper limit of the value."""
    return Limit(limit, upper=True)


def share_of_bound(limit: float) -> Limit:
    """Return a lower limit of the share of the bound."""
    return Limit(limit, "ratio")


def row(
    area: str,
    name: str,
    value: float,
    unit: str,
    *,
    bound: float | None = None,
    smaller_is_better: bool = False,
    target: Sequence[Limit] = (),
    note: str = "",
) -> Row:
    """Return the row of one measured value.

    Args:
        area: The area of the benchmark.
        name: The name of the measurement.
        value: The value in `unit`.
        unit: Unit of value and bound.
        bound: The best possible value.
        smaller_is_better: True for a time or a size, False for a rate.
        target: Bounds that must all hold.
        note: The kind of bound, and other notes for the reader.
    """
    ratio = None
    if bound is not None and min(bound, value) > 0.0:
        ratio = bound / value if smaller_is_better else value / bound
    met = all(limit.holds(value, ratio) for limit in target) if target else None
    return Row(area, name, value, unit, bound, ratio, ", ".join(limit.text for limit in target), met, note)


def not_measured(area: str, name: str, unit: str, why: str, target: Sequence[Limit] = ()) -> Row:
    """Return the row of a measurement that is not possible here."""
    return Row(area, name, None, unit, None, None, ", ".join(limit.text for limit in target), None, why)


def figure_text(value: float | None) -> str:
    """Return a figure with three significant digits; "-" for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
