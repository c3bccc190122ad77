"""The checkable rules of this project's English: `python -m tests.english` prints what breaks them, by folder.

- A docstring's first line names the thing or is an imperative; it opens with no relative clause.
- The subject is named: no *whoever*, *somebody* and their like in docstrings, comments and messages.
- A word with two spellings has the British one.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["PRODUCT", "RULES", "Finding", "breaches", "breaches_in", "main", "yaml_breaches"]

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("runtime", "robot_envs", "policies", "transport", "actor", "learner", "calibration", "configs", "steadyhand")
PRODUCT += ("ros2_ws/src/actor/actor_ros", "benchmarks", "tools")

Rule = Literal["relative clause", "unnamed subject", "spelling"]
RULES: tuple[Rule, ...] = ("relative clause", "unnamed subject", "spelling")

RELATIVE = re.compile(r"(what|whether|who|whom|whose|how|which|where|when|why|that)\b", re.IGNORECASE)
UNNAMED = re.compile(r"\b(whoever|whomever|whatever|whichever|somebody|nobody|anybody)\b", re.IGNORECASE)
# American stems, which a British writer spells otherwise.
_IZE = (
    "author|categor|character|crystall|custom|discret|emphas|equal|final|general|global|initial|linear|local|material|"
    "maxim|memor|minim|mobil|neutral|normal|optim|organ|parallel|parametr|penal|popular|priorit|quant|random|real|"
    "recogn|regular|serial|special|stabil|standard|summar|symbol|synchron|token|util|visual|vector"
)
AMERICAN = re.compile(
    rf"\b(?:un|de|re|non-?)?(?:(?:{_IZE})iz(?:e[ds]?|er|ers|ing|ation|ations|able)"
    r"|analyz(?:e[ds]?|er|ing)|(?:colo|behavio|neighbo|favo|hono|labo|vapo)r(?:s|ed|ing|hood|able|al)?"
    r"|gray(?:s|ed|scale)?|center(?:s|ed|ing)?|fibers?|catalogs?"
    r"|(?:label|model|travel|cancel|signal|tunnel|level|fuel|channel)(?:ed|ing))\b",
    re.IGNORECASE,
)
STYLE_SHEET = re.compile(r"[\w-]+\s*\{[^{}]*[\w-]+\s*:[^{}]*\}")
CODE = re.compile(r"`[^`]*`|\b\w*_\w+\b|\b\w+(?:\.\w+)+\b|\w+=\S+|https?://\S+")


@dataclass(frozen=True)
class Finding:
    """One breach of a rule, with the line of the file (from 1) where its docstring, comment or message begins."""

    line: int
    rule: Rule
    text: str


def breaches(source: str) -> list[Finding]:
    """Return what breaks the rules in the docstrings, comments and messages of a Python file."""
    return [finding for line, text, is_docstring in _prose(source) for finding in _judged(line, text, is_docstring)]


def yaml_breaches(source: str) -> list[Finding]:
    """Return what breaks the rules in the comments of a YAML file."""
    comments = ((number, line.partition("#")[2]) for number, line in enumerate(source.splitlines(), start=1))
    return [finding for line, text in comments for finding in _judged(line, text, is_docstring=False)]


def breaches_in(folder: Path) -> Iterator[tuple[Path, Finding]]:
    """Yield every breach in the Python and YAML files below `folder`, with its file."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".yaml"} and not path.is_symlink():
            find = breaches if path.suffix == ".py" else yaml_breaches
            for finding in find(path.read_text(encoding="utf-8")):
                yield path, finding


def _judged(line: int, text: str, is_docstring: bool) -> Iterator[Finding]:
    first = text.strip().partition("\n")[0]
    if is_docstring and RELATIVE.match(first.lstrip("\"'*(")):
        yield Finding(line, "relative clause", first)
    prose = CODE.sub("", text)
    for rule, pattern in (("unnamed subject", UNNAMED), ("spelling", AMERICAN)):
        for found in pattern.finditer(prose):
            yield Finding(line, rule, found.group())  # type: ignore[arg-type]


def _prose(source: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, text, whether it is a docstring) of all that is written for a person."""
    docstrings = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                text = ast.get_docstring(node)
                if text is not None:
                    docstrings.add(first.value)
                    yield first.lineno, text, True
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
        # A text of one word is a name.
        if is_text and " " in node.value.strip() and not STYLE_SHEET.search(node.value):
            yield node.lineno, node.value, False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#"), False


def main() -> int:
    """Print every breach and the counts by folder; returns 1 if there are any."""
    counts: Counter[tuple[str, str]] = Counter()
    for folder in PRODUCT:
        for path, finding in breaches_in(ROOT / folder):
            counts[folder, finding.rule] += 1
            sys.stdout.write(f"{path.relative_to(ROOT)}:{finding.line}: {finding.rule}: {finding.text}\n")
    sys.stdout.write(f"\n{'folder':<30}{''.join(f'{rule:>18}' for rule in RULES)}\n")
    for folder in (*PRODUCT, "all"):
        found = [sum(n for key, n in counts.items() if key[1] == rule and folder in (key[0], "all")) for rule in RULES]
        sys.stdout.write(f"{folder:<30}{''.join(f'{number:>18}' for number in found)}\n")
    return int(bool(counts))


if __name__ == "__main__":
    sys.exit(main())
