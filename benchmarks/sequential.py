"""Errors and cost of the sequential comparison of two policies, by simulation.

    python -m benchmarks.sequential [--comparisons 2000]

Each row simulates comparisons of at most 100 pairs. `equal` rows count false verdicts, `different` rows the verdicts
and the pairs. Beside it stand a fixed number of pairs with the exact McNemar test at its end, the same test looked at
after every pair, and the two-stream test of Turner and Gruenwald (arXiv 2203.09785, section 2), which assumes
independent streams. Writes `benchmarks/results/sequential.json` and the table of `docs/evaluation.md`; exits 1 if a
goal is missed.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine_line
from steadyhand.actor.sequential import PairedTest
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say

__all__ = ["Row", "fixed_pairs", "main", "mcnemar", "simulated"]

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "benchmarks" / "results" / "sequential.json"
DOCS = ROOT / "docs" / "evaluation.md"
START, END = "<!-- sequential -->\n", "<!-- end of sequential -->\n"
ALPHA, MAX_PAIRS, POWER = 0.05, 100, 0.9
MOST_FALSE, LEAST_SAVED, CLEAR = 0.05, 0.5, 0.3  # the goals, and the difference from which on it is a clear one
PSEUDO = 0.18  # of Turner and Gruenwald's estimates: successes and failures added to each stream
Pairs = NDArray[np.bool_]  # (comparisons, pairs, 2)
Draw = Callable[[np.random.Generator, tuple[int, int]], Pairs]


@dataclass(frozen=True)
class Row:
    """One setting of the simulation.

    Attributes:
        kind: equal or different.
        name: Success rates, and the dependence within a pair.
        false: Share of comparisons with a verdict that is wrong.
        right: Share of comparisons with the right verdict.
        pairs: Mean number of pairs.
        saved: Share of the 100 pairs that is saved, on average.
        fixed_pairs: Pairs of a fixed test with 90 % power, which would have to know the difference; 0 where equal.
        fixed_false: Share of wrong verdicts of the fixed test at 100 pairs.
        peeking_false: The same of the fixed test, looked at after every pair.
        two_stream_false: The same of Turner and Gruenwald's test.
        two_stream_pairs: Mean number of pairs of that test.
    """

    kind: str
    name: str
    false: float
    right: float
    pairs: float
    saved: float
    fixed_pairs: int
    fixed_false: float
    peeking_false: float
    two_stream_false: float
    two_stream_pairs: float


def simulated(kind: str, name: str, draw: Draw, comparisons: int, seed: int) -> Row:
    """Simulate comparisons in which the first policy is at least as good as the second."""
    drawn = draw(np.random.default_rng(seed), (comparisons, MAX_PAIRS))
    ours = [_sequential(one) for one in drawn]
    peeks = [_peeking(one) for one in drawn]
    fixed = [_decided(*_alone(one)) for one in drawn]
    streams = [_two_stream(one) for one in drawn]
    wrong = ("first", "second") if kind == "equal" else ("second",)
    pairs = float(np.mean([count for _, count in ours]))
    won, lost = (float(np.mean(drawn[..., one] & ~drawn[..., 1 - one])) for one in (0, 1))
    return Row(
        kind=kind,
        name=name,
        false=_share([verdict in wrong for verdict, _ in ours]),
        right=_share([verdict == "first" and kind == "different" for verdict, _ in ours]),
        pairs=round(pairs, 1),
        saved=round(1.0 - pairs / MAX_PAIRS, 3),
        fixed_pairs=fixed_pairs(won, lost) if kind == "different" else 0,
        fixed_false=_share([verdict in wrong for verdict in fixed]),
        peeking_false=_share([verdict in wrong for verdict in peeks]),
        two_stream_false=_share([verdict in wrong for verdict, _ in streams]),
        two_stream_pairs=round(float(np.mean([count for _, count in streams])), 1),
    )


@lru_cache(maxsize=65536)
def mcnemar(first_alone: int, second_alone: int) -> float:
    """Return the p value of the exact two-sided McNemar test: a sign test on the pairs that differ."""
    n = first_alone + second_alone
    tail = sum(math.comb(n, k) for k in range(min(first_alone, second_alone) + 1)) / 2**n
    return min(1.0, 2.0 * tail)


@lru_cache(maxsize=256)
def fixed_pairs(won: float, lost: float) -> int:
    """Return the smallest number of pairs at which the exact McNemar test finds the difference with 90 % power.

    Args:
        won: Probability that the first policy alone succeeds.
        lost: Probability that the second policy alone succeeds.
    """
    rng = np.random.default_rng(0)
    for pairs in range(6, 2001, 2):
        counts = rng.multinomial(pairs, [won, lost, 1.0 - won - lost], size=400)
        if np.mean([_decided(int(a), int(b)) == "first" for a, b, _ in counts]) >= POWER:
            return pairs
    return 0


def _alone(pairs: Pairs) -> tuple[int, int]:
    return int((pairs[:, 0] & ~pairs[:, 1]).sum()), int((pairs[:, 1] & ~pairs[:, 0]).sum())


def _decided(first_alone: int, second_alone: int) -> str:
    if mcnemar(first_alone, second_alone) > ALPHA:
        return ""
    return "first" if first_alone > second_alone else "second"


def _sequential(pairs: Pairs) -> tuple[str, int]:
    test = PairedTest(ALPHA)
    for index, (first, second) in enumerate(pairs.tolist()):
        if test.verdict or not test.reachable(len(pairs) - index):
            break
        test = test.after(first, second)
    return test.verdict, test.pairs


def _peeking(pairs: Pairs) -> str:
    first = np.cumsum(pairs[:, 0] & ~pairs[:, 1]).tolist()
    second = np.cumsum(pairs[:, 1] & ~pairs[:, 0]).tolist()
    return next((found for a, b in zip(first, second, strict=True) if (found := _decided(a, b))), "")


def _two_stream(pairs: Pairs) -> tuple[str, int]:
    """Return the verdict and the pairs of the product of p_a(y_a) p_b(y_b) / (p_0(y_a) p_0(y_b)), p_0 their mean."""
    log_e, won = 0.0, [PSEUDO, PSEUDO]
    for count, outcome in enumerate(pairs.tolist()):
        rates = [one / (count + 2.0 * PSEUDO) for one in won]
        middle = sum(rates) / 2.0
        for rate, success in zip(rates, outcome, strict=True):
            log_e += math.log(rate / middle if success else (1.0 - rate) / (1.0 - middle))
        won = [one + success for one, success in zip(won, outcome, strict=True)]
        if log_e >= -math.log(ALPHA):
            return ("first" if won[0] > won[1] else "second"), count + 1
    return "", len(pairs)


def independent(first: float, second: float) -> Draw:
    """Return pairs whose two episodes do not depend on each other."""
    return lambda rng, size: rng.random((*size, 2)) < [first, second]


def same_starts(first: float, second: float) -> Draw:
    """Return pairs that share the difficulty of their start: each succeeds where it is below the policy's rate."""

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Pairs:
        shared, own = rng.random((*size, 1)), rng.random((*size, 2))
        is_shared = rng.random((*size, 1)) < 0.7
        return np.where(is_shared, shared, own) < [first, second]

    return draw


def opposite(rate: float) -> Draw:
    """Return pairs in which a start that suits one policy does not suit the other."""

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Pairs:
        shared = rng.random(size)
        return np.stack([shared < rate, shared > 1.0 - rate], axis=-1)

    return draw


def listed(rng: np.random.Generator, size: tuple[int, int]) -> Pairs:
    """Return the pairs of a shuffled list of starts, half of which suit only the first policy, and half the second."""
    first = np.arange(size[1]) < size[1] // 2
    drawn = rng.permuted(np.broadcast_to(first, size), axis=1)
    return np.stack([drawn, ~drawn], axis=-1)


def _share(found: Sequence[bool]) -> float:
    return round(float(np.mean(found)), 4)


EQUAL = {
    **{f"{rate:g} and {rate:g}, independent": independent(rate, rate) for rate in (0.1, 0.5, 0.7, 0.9, 0.95)},
    **{f"{rate:g} and {rate:g}, same starts": same_starts(rate, rate) for rate in (0.5, 0.9)},
    **{f"{rate:g} and {rate:g}, opposite starts": opposite(rate) for rate in (0.5, 0.7)},
    "0.5 and 0.5 on 100 listed starts, shuffled": listed,
}
DIFFERENT = {
    **{f"{a:g} and {b:g}, independent": (a, b, independent(a, b)) for a, b in ((0.95, 0.85), (0.9, 0.7), (0.9, 0.6))},
    **{f"{a:g} and {b:g}, independent": (a, b, independent(a, b)) for a, b in ((0.8, 0.4), (0.9, 0.5), (0.95, 0.4))},
    **{f"{a:g} and {b:g}, same starts": (a, b, same_starts(a, b)) for a, b in ((0.9, 0.7), (0.9, 0.6), (0.9, 0.5))},
}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    head = "| policies | false verdicts | right verdicts | pairs | saved of 100 | fixed, 90 % power, difference known |"
    head += " false: fixed at 100 | false: looked at after every pair | false: two streams | pairs: two streams |"
    lines = [head, "|---|" + "---:|" * 9]
    for row in rows:
        right, saved, fixed = "-", "-", "-"
        if row.kind == "different":
            right, saved = f"{100 * row.right:.1f} %", f"{100 * row.saved:.0f} %"
            fixed = f"{row.fixed_pairs}" if row.fixed_pairs else "above 2,000"
        shares = (row.fixed_false, row.peeking_false, row.two_stream_false)
        others = " | ".join(f"{100 * share:.1f} %" for share in shares)
        lines.append(
            f"| {row.name} | {100 * row.false:.1f} % | {right} | {row.pairs:g} | {saved} | {fixed} | {others} | "
            f"{row.two_stream_pairs:g} |"
        )
    return "\n".join(lines)


def goals_missed(rows: Sequence[Row]) -> list[str]:
    """Return one line per goal that a row misses."""
    missed = [f"{row.name}: false verdicts {100 * row.false:.1f} %" for row in rows if row.false > MOST_FALSE]
    clear = {name for name, (a, b, _) in DIFFERENT.items() if a - b >= CLEAR - 1e-9}
    return missed + [
        f"{row.name}: saved {100 * row.saved:.0f} %" for row in rows if row.name in clear and row.saved < LEAST_SAVED
    ]


def main(words: Sequence[str] | None = None) -> int:
    """Simulate, write the results, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=2000, help="simulated comparisons per row")
    parser.add_argument("--no-write", action="store_true", help="print alone")
    options = parser.parse_args(words)
    cases = [("equal", name, draw) for name, draw in EQUAL.items()]
    cases += [("different", name, draw) for name, (_, _, draw) in DIFFERENT.items()]
    rows = [simulated(*case, options.comparisons, seed) for seed, case in enumerate(cases)]
    missed = goals_missed(rows)
    say(table(rows))
    for line in missed or ["every goal is met"]:
        say(line)
    if not options.no_write:
        facts = {"alpha": ALPHA, "max_pairs": MAX_PAIRS, "comparisons": options.comparisons, "machine": machine_line()}
        atomic_write_json(FILE, {**facts, "goals_missed": missed, "rows": [asdict(row) for row in rows]})
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
        DOCS.write_text(f"{before}{START}{table(rows)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
