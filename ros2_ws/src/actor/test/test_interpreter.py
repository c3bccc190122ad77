import sys

import pytest

from actor_ros.executables import ArgumentError
from actor_ros.interpreter import find_interpreter


@pytest.fixture
def make(tmp_path):
    """Make an environment whose python3 has the product, or has not."""

    def make(name: str, has_product: bool) -> str:
        path = tmp_path / name / "bin/python3"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\nexit {0 if has_product else 1}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return make


def found(tmp_path, given="auto", built_by="", **environment) -> str:
    note = tmp_path / "built_by.txt"
    if built_by:
        note.write_text(built_by, encoding="utf-8")
    return find_interpreter(given, environment, note)


def test_the_activated_environment_comes_first_then_the_builds_then_the_path(tmp_path, make):
    active, built, on_path = make("a b", True), make("built", True), make("path", True)
    folder = str(tmp_path / "a b")
    assert found(tmp_path, built_by=built, VIRTUAL_ENV=folder, PATH=str(tmp_path / "path/bin")) == active
    assert found(tmp_path, built_by=built, PATH=str(tmp_path / "path/bin")) == built
    (tmp_path / "built_by.txt").unlink()
    assert found(tmp_path, PATH=str(tmp_path / "path/bin")) == on_path


def test_one_that_has_no_product_or_is_gone_is_passed_over(tmp_path, make):
    make("other", False)
    built = make("built", True)
    assert found(tmp_path, built_by=built, VIRTUAL_ENV=str(tmp_path / "other")) == built
    with pytest.raises(ArgumentError) as error:
        found(tmp_path, built_by="/gone/bin/python3", VIRTUAL_ENV=str(tmp_path / "other"))
    line = str(error.value)
    assert "other/bin/python3 (the activated environment), /gone/bin/python3 (built this package)" in line
    assert "\n" not in line


def test_a_given_one_is_not_replaced_by_another(tmp_path, make):
    make("active", True)
    with pytest.raises(ArgumentError, match="found /usr/bin/false"):
        found(tmp_path, given="/usr/bin/false", VIRTUAL_ENV=str(tmp_path / "active"))


def test_the_look_is_a_real_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    assert found(tmp_path, given=sys.executable) == sys.executable
    bare = f"{sys.base_prefix}/bin/python3"
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    with pytest.raises(ArgumentError):
        found(tmp_path, given=bare)
