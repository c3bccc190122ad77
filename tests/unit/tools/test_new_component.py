"""`make new-task`, `new-robot`, `new-algorithm`: what they write fits the tree, and fails until it is written."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.runtime.config import compose

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("task", "robot", "algorithm")
GROUPS = {"task": "task", "robot": "robot", "algorithm": "algo"}


def load_tool():
    spec = importlib.util.spec_from_file_location("new_component", ROOT / "tools" / "new_component.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = load_tool()


@pytest.fixture
def tree(tmp_path):
    """The folders of a repository that components go into."""
    for places in TOOL.PLACES.values():
        for place in places:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_the_code_the_numbers_and_the_test(tree, kind):
    paths = TOOL.write_component(kind, "cable_insert", tree)
    assert [path.relative_to(tree).as_posix() for path in paths] == [
        place.format("cable_insert") for place in TOOL.PLACES[kind]
    ]
    code, test = (path.read_text(encoding="utf-8") for path in (paths[0], paths[2]))
    classes = [node.name for node in ast.parse(code).body if isinstance(node, ast.ClassDef)]
    assert "CableInsert" in classes
    assert f'group = "{GROUPS[kind]}=cable_insert"' in test


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_keeps_the_style_of_the_tree(tree, kind):
    code, _, test = TOOL.write_component(kind, "cable_insert", tree)
    ruff = Path(sys.executable).parent / "ruff"
    for path in (code, test):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(tree).as_posix()
        for words in (["check", "--no-cache"], ["format", "--no-cache", "--diff"]):
            command = [ruff, *words, "--stdin-filename", name, "-"]
            done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_yaml_file_is_an_option_that_names_the_class(tree, kind, monkeypatch):
    code, config, _ = TOOL.write_component(kind, "cable_insert", tree)
    monkeypatch.setenv("STEADYHAND_CONFIG", str(config.parent.parent))
    found = compose([f"{GROUPS[kind]}=cable_insert"])[GROUPS[kind]]["entry_point"]
    module, _, name = found.partition(":")
    assert module.split(".")[1:] == list(code.relative_to(tree).with_suffix("").parts)
    assert f"class {name}" in code.read_text(encoding="utf-8")


def test_the_conformance_test_of_a_new_algorithm_fails_until_it_is_written(tree):
    code, config, test = TOOL.write_component("algorithm", "cable_insert", tree)
    config.write_text(config.read_text(encoding="utf-8").replace("steadyhand.learner.algos.", ""), encoding="utf-8")
    environment = {
        **os.environ,
        "STEADYHAND_CONFIG": str(tree / "configs"),
        "PYTHONPATH": os.pathsep.join([str(code.parent), str(ROOT)]),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tree), str(test)]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 1, done.stdout
    assert "expected a loss of 16 rows" in done.stdout
    assert "3 passed" in done.stdout  # its sampling, its weights and its estimate are sound already


@pytest.mark.parametrize("name", ["Cable", "cable-insert", "1st", "", "../x", "a__b", "cable insert"])
def test_a_name_that_is_no_modules_is_refused(tree, name):
    with pytest.raises(TOOL.NewComponentError, match="lower-case words"):
        TOOL.write_component("task", name, tree)


def test_nothing_is_overwritten(tree):
    TOOL.write_component("task", "cable_insert", tree)
    with pytest.raises(TOOL.NewComponentError, match="choose another name"):
        TOOL.write_component("task", "cable_insert", tree)


def test_a_mistake_is_one_line_and_an_exit_status(capsys):
    assert TOOL.main(["task", "reach"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
