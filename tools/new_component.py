"""Create a task, a robot or an algorithm: one file, one YAML file, and a test that fails until the code is complete.

python tools/new_component.py task|robot|algorithm NAME
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from string import Template

__all__ = ["NewComponentError", "main", "write_component"]

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = Path(__file__).resolve().parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Paths of the code, the YAML file and the test, by kind.
PLACES = {
    "task": ("robot_envs/tasks/{}.py", "configs/task/{}.yaml", "tests/contract/test_{}_task.py"),
    "robot": ("robot_envs/robots/{}.py", "configs/robot/{}.yaml", "tests/contract/test_{}_robot.py"),
    "algorithm": ("learner/algos/{}.py", "configs/algo/{}.yaml", "tests/contract/test_{}_algorithm.py"),
}
FILES = ("code.py.txt", "config.yaml.txt", "test.py.txt")


class NewComponentError(ValueError):
    """Error of a name that is invalid or already in use."""


def write_component(kind: str, name: str, root: Path = ROOT) -> list[Path]:
    """Write the three files of a component, and return their paths.

    Args:
        kind: Kind of the component: `task`, `robot` or `algorithm`.
        name: Name in an override, such as `cable_insert`.
        root: Folder of the repository.

    Raises:
        NewComponentError: The name is not a valid module name, or one of its files exists.
    """
    if NAME.fullmatch(name) is None:
        raise NewComponentError(
            f"NAME: expected lower-case words joined by _, such as cable_insert, found {name!r}; choose another name"
        )
    paths = [root / place.format(name) for place in PLACES[kind]]
    for path in paths:
        if path.exists():
            raise NewComponentError(f"{path}: expected a new {kind}, found this file; choose another name")
    words = name.split("_")
    values = {
        "name": name,
        "class_name": "".join(word.capitalize() for word in words),
        "title": " ".join(words).capitalize(),
    }
    for path, file in zip(paths, FILES, strict=True):
        text = Template((TEMPLATES / kind / file).read_text(encoding="utf-8")).substitute(values)
        path.write_text(text, encoding="utf-8")
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Write the files of the component in the command line, and print the next step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(PLACES))
    parser.add_argument("name")
    options = parser.parse_args(arguments)
    try:
        paths = write_component(options.kind, options.name)
    except NewComponentError as error:
        sys.stderr.write(f"new {options.kind}: {error}\n")
        return 2
    code, config, test = (path.relative_to(ROOT) for path in paths)
    sys.stdout.write(f"{code}\n{config}\n{test}\n\nWrite {code} until this passes: .venv/bin/pytest {test}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
