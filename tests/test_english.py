"""The rules of English find what breaks them, and leave the rest alone."""

import pytest

from tests import english
from tests.english import PRODUCT, ROOT, Finding, breaches, breaches_in, yaml_breaches

CLAUSES = ["What", "Whether", "Who", "Whom", "Whose", "How", "Which", "Where", "When", "Why", "That"]
UNNAMED = ["whoever", "whomever", "whatever", "whichever", "somebody", "nobody", "anybody"]


def rules_of(source: str) -> list[str]:
    return [finding.rule for finding in breaches(source)]


@pytest.mark.parametrize("word", CLAUSES)
@pytest.mark.parametrize("frame", ['"""{} it is."""', 'class A:\n    """{} it is."""', 'def f():\n    """{} it is."""'])
def test_a_docstring_that_opens_with_a_relative_clause_is_found(word, frame):
    assert rules_of(frame.format(word)) == ["relative clause"]


@pytest.mark.parametrize(
    "source",
    [
        '"""The settings that a learner has.\n\nWhat follows is prose."""',
        'def f():\n    """Return what was sent."""',
        'def f():\n    """Whenever is another word."""',
        '# What a comment opens with is not judged.\nX = "What a message opens with neither"',
        'X = 1\n"What is no docstring"',
    ],
)
def test_what_is_not_the_first_line_of_a_docstring_may_have_one(source):
    assert breaches(source) == []


@pytest.mark.parametrize("word", UNNAMED)
@pytest.mark.parametrize(
    "source",
    ['"""The door, for {} knocks."""', "x = 1  # for {}", 'raise E("{} is there")', 'raise E(f"{{x}}: {} is there")'],
)
def test_an_unnamed_subject_is_found_in_docstrings_comments_and_messages(word, source):
    assert rules_of(source.format(word)) == ["unnamed subject"]
    assert rules_of(source.format(word.capitalize())) == ["unnamed subject"]


@pytest.mark.parametrize(
    "source",
    ['user = "nobody"', "nobody = 1", '"""The option `whatever`."""', "anybody_else()", 'X = "p { color: red }"'],
)
def test_a_name_is_no_prose(source):
    assert breaches(source) == []


@pytest.mark.parametrize(
    ("american", "british"),
    [
        ("color", "colour"),
        ("colored", "coloured"),
        ("normalize", "normalise"),
        ("renormalized", "renormalised"),
        ("initialization", "initialisation"),
        ("summarizes", "summarises"),
        ("discretized", "discretised"),
        ("analyzer", "analyser"),
        ("behavior", "behaviour"),
        ("neighboring", "neighbouring"),
        ("gray", "grey"),
        ("centered", "centred"),
        ("labeled", "labelled"),
        ("canceling", "cancelling"),
    ],
)
def test_the_british_spelling_is_the_one(american, british):
    assert rules_of(f"# one {american} thing") == ["spelling"]
    assert rules_of(f"# one {british} thing") == []
    assert rules_of(f"# the call `x.{american}()`, {american}_it, torch.{american} and {american}=3") == []


@pytest.mark.parametrize("word", ["size", "seized", "prize", "horizon", "fixed", "angle", "resize", "stray", "array"])
def test_a_word_of_one_spelling_is_left_alone(word):
    assert breaches(f"# one {word} thing") == []


def test_a_finding_says_where_it_is():
    assert breaches('X = 1\n\n# for nobody\n"a color here"\n') == [
        Finding(4, "spelling", "color"),
        Finding(3, "unnamed subject", "nobody"),
    ]


def test_comments_of_configurations_are_read():
    assert yaml_breaches("key: nobody  # of whoever writes\n# fine\n") == [Finding(1, "unnamed subject", "whoever")]


def test_files_of_a_folder_are_searched(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.py").write_text('"""What it is."""\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text("# whatever\n", encoding="utf-8")
    (tmp_path / "d.md").write_text("whatever\n", encoding="utf-8")
    assert [path.name for path, _ in breaches_in(tmp_path)] == ["b.py", "c.yaml"]


def test_the_script_prints_every_breach_and_counts_them_by_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "actor").mkdir()
    (tmp_path / "actor/b.py").write_text('"""What a color it is."""\n', encoding="utf-8")
    monkeypatch.setattr(english, "ROOT", tmp_path)
    assert english.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["actor/b.py:1: relative clause: What a color it is.", "actor/b.py:1: spelling: color"]
    assert [line.split() for line in lines if line.startswith(("actor ", "all"))] == [
        ["actor", "1", "0", "1"],
        ["all", "1", "0", "1"],
    ]


def test_every_folder_of_the_product_is_searched():
    assert [folder for folder in PRODUCT if not (ROOT / folder).is_dir()] == []
