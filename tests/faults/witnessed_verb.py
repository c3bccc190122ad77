"""A verb of the product, whose environment keeps its own list of what it has shown.

`python -m tests.faults.witnessed_verb <list> act|learn|... <overrides>`
"""

import sys
from pathlib import Path

from steadyhand import cli
from steadyhand.pipeline import environment
from tests.faults.witness import Witness


def main(file: str, *words: str) -> int:
    make_env = environment.make_env
    environment.make_env = lambda config, seed: Witness(make_env(config, seed), Path(file))
    return cli.main(list(words))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
