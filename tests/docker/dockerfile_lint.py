"""A small linter for Dockerfiles: the rules that this repository does not bend."""

from __future__ import annotations

import re
from collections.abc import Iterator

INSTRUCTION = re.compile(r"([A-Z]+)\s+(.*)")
IMAGE = re.compile(r"(?P<name>[^:@\s]+)(?P<tag>:[\w.-]+)?(?P<digest>@sha256:[0-9a-f]{64})?$")
FLOATING = {":latest", ":stable", ":edge", ":slim", ":3", ":jazzy"}


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (keyword, rest) of every instruction, continuation lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [found.groups() for line in joined.splitlines() if (found := INSTRUCTION.fullmatch(line.strip()))]


def complaints(text: str) -> list[str]:
    """Return what is wrong with a Dockerfile."""
    parsed = instructions(text)
    return [*_bases(parsed), *_user(parsed), *_steps(parsed)]


def _bases(parsed: list[tuple[str, str]]) -> Iterator[str]:
    stages: set[str] = set()
    for keyword, rest in parsed:
        if keyword != "FROM":
            continue
        words = [word for word in rest.split() if not word.startswith("--")]
        if words[0] not in stages:
            image = IMAGE.match(words[0])
            if image is None or not (image["digest"] or (image["tag"] and image["tag"] not in FLOATING)):
                yield f"FROM {words[0]}: a base needs a tag that does not move"
        if len(words) == 3:
            stages.add(words[2])


def _user(parsed: list[tuple[str, str]]) -> Iterator[str]:
    last: dict[str, str] = {}
    user = ""
    for keyword, rest in parsed:
        if keyword == "FROM":
            base, _, stage = [*rest.split(), "", ""][:3]
            user = last.get(base, "root")
        elif keyword == "USER":
            user = rest
        last[stage] = user
    if not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user):
        yield f"USER {user}: the last stage must run as a number that is not root's"


def _steps(parsed: list[tuple[str, str]]) -> Iterator[str]:
    for keyword, rest in parsed:
        if keyword == "ADD":
            yield f"ADD {rest}: COPY files of this repository, and download nothing"
        if keyword == "RUN":
            if "apt-get install" in rest and "rm -rf /var/lib/apt/lists/*" not in rest:
                yield "RUN apt-get install: remove the lists in the same step"
            if "apt-get install" in rest and "--no-install-recommends" not in rest:
                yield "RUN apt-get install: without what is only recommended"
            if "pip install" in rest and "--constraint" not in rest:
                yield "RUN pip install: with the constraints, so that every version is known"
            if re.search(r"\b(curl|wget)\b", rest):
                yield "RUN: download nothing but packages"
        if keyword in ("ENV", "ARG") and re.search(r"(?i)(password|secret|token|_key)\s*=", rest):
            yield f"{keyword}: a secret has no place in an image"
