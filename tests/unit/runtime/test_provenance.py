import json
import subprocess
import sys

from steadyhand.runtime.provenance import git_commit, package_versions, provenance


def test_names_the_software_and_the_machine():
    facts = provenance()
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["packages"]["numpy"]
    assert facts["host"]
    assert json.loads(json.dumps(facts)) == facts


def test_package_versions_are_sorted():
    names = [name.lower() for name in package_versions()]
    assert names == sorted(names)


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_git_commit_and_dirty(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    (tmp_path / "a.txt").write_text("two")
    assert git_commit(tmp_path) == f"{commit}-dirty"


def test_no_commit_outside_a_repository_of_its_own(tmp_path):
    git(tmp_path, "init", "-q")
    inner = tmp_path / "site-packages"
    inner.mkdir()
    assert git_commit(inner) is None
    assert git_commit(tmp_path) is None  # no commit yet


def test_no_commit_without_git(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(tmp_path) is None
