"""Every link of a Markdown file leads to a file, and to a heading where it names one. `make docs` checks the rest."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s#]*)(#[^)\s]+)?\)")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as source hosts make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    broken = []
    for path, anchor in LINK.findall(text):
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            broken.append(path)
        elif anchor and anchor[1:] not in anchors(target.read_text(encoding="utf-8")):
            broken.append(path + anchor)
    assert broken == []


def test_a_broken_link_is_found():
    assert LINK.findall("[a](b.md#c) ![d](e.png) [f](https://g.h) [i](#j)") == [
        ("b.md", "#c"),
        ("e.png", ""),
        ("", "#j"),
    ]
    assert anchors("# The gripper\n## Joint-space homing, twice") == {"the-gripper", "joint-space-homing-twice"}


def test_every_page_is_in_the_index_of_the_site():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").split()
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks" / "results").glob("*.md")]
    names = {Path(os.path.relpath(page, ROOT / "docs")).with_suffix("").as_posix() for page in pages}
    assert names - set(index) == {"index"}
