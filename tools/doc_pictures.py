"""Make the pictures of the documentation anew: the operator page, and the pages about data and runs, in Chromium.

    python -m tools.doc_pictures [console view inspect compare] [--folder docs/media]

Every picture shows runs that this program makes for it, on the mock robot, in a temporary folder.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from PIL import Image

import steadyhand as sh
from benchmarks.command import started
from tests.web_kit import Browser

MEDIA = Path(__file__).resolve().parents[1] / "docs" / "media"
COLOURS = 128  # of a picture: text and charts stay sharp, and the file is small
QUIET = ("logging.console=off", "logging.exporters.tensorboard=null")
CELL = ("task=peg_insert", "camera=wrist_side")
LONG = "task.drive.max_steps=10000"  # an attempt does not end while its picture is made
DEMOS = ("demo.demos=8", "seed=0")
GROUPS = {"3 demonstrations": 3, "20 demonstrations": 20}
SEEDS = (0, 1)
PRACTICE = ("task=reach", "actor.max_env_steps=300", "learner.pretrain_updates=200", *QUIET)
SIZES = {"console": (1180, 1060), "view": (1000, 900), "inspect": (1000, 900), "compare": (1000, 1100)}


def main(argv: Sequence[str] | None = None) -> int:
    """Make the named pictures, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(MAKERS)}; all without a name")
    parser.add_argument("--folder", type=Path, default=MEDIA, help="folder of the pictures")
    options = parser.parse_args(argv)
    if unknown := set(options.names) - MAKERS.keys():
        parser.error(f"expected some of {', '.join(MAKERS)}, found {', '.join(sorted(unknown))}")
    for name in options.names or MAKERS:
        with ExitStack() as closing:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="doc-pictures-")))
            browser = Browser(folder / "profile", SIZES[name])
            closing.callback(browser.close)
            MAKERS[name](browser, folder, partial(keep, browser, options.folder / f"{name}.png"))
    return 0


def keep(browser: Browser, path: Path) -> None:
    """Write the browser's picture with few colours."""
    picture = Image.open(io.BytesIO(browser.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def console(browser: Browser, folder: Path, kept: Callable[[], None]) -> None:
    """Show the operator page while a person jogs in the second demonstration."""
    words = (*CELL, *DEMOS, "device=web", "actor.web.port=0", "demo.dialogue.countdown_s=1", LONG, *QUIET)
    with started("record", [*words, f"run_root={folder}", "run_name=pegs"], folder) as record:
        browser.open(record.page_address())
        browser.shows("#banner", "motion has not been enabled yet")
        browser.click("#take")
        browser.shows("#role", "you operate")
        browser.type("Enter")
        browser.shows("#list", "step 1")
        browser.key("w", True)
        browser.shows("#list", "step 9")
        browser.key("w", False)
        browser.type("y")
        browser.shows("#banner", "ready for demonstration 2")
        browser.type("Enter")
        browser.shows("#banner", "the robot stands still")
        browser.shows("#list", "episode2, step")
        browser.key("d", True)
        browser.shows("#banner", "person in control")
        browser.shows("#list", "step 6")  # by then the pictures are of this attempt
        kept()


def view(browser: Browser, folder: Path, kept: Callable[[], None]) -> None:
    """Show one demonstration."""
    page = folder / "episode.html"
    demos = recorded(folder)
    run("data", ["view", str(demos), "0", "--html", str(page)], folder)
    browser.open(page.as_uri())
    browser.shows("body", "action")
    kept()


def inspect(browser: Browser, folder: Path, kept: Callable[[], None]) -> None:
    """Show the page about a demo set."""
    page = folder / "set.html"
    run("inspect", [str(recorded(folder)), "--plots", str(page)], folder)
    browser.open(page.as_uri())
    browser.shows("body", "SACo")
    kept()


def compare(browser: Browser, folder: Path, kept: Callable[[], None]) -> None:
    """Show two groups of runs."""
    words = []
    for label, demos in GROUPS.items():
        names = [f"reach-{demos}-{seed}" for seed in SEEDS]
        for seed, name in zip(SEEDS, names, strict=True):
            sh.train(*PRACTICE, f"demo.demos={demos}", f"seed={seed}", run=folder / name)
            run("eval", [f"run_root={folder}", f"run_name={name}", "episodes=30", *QUIET], folder)
        words.append(f"{label}:{','.join(names)}")
    page = folder / "comparison.html"
    run("runs", ["compare", *words, f"run_root={folder}"], folder)
    browser.open(page.as_uri())
    browser.shows("body", next(iter(GROUPS)))
    kept()


def recorded(folder: Path) -> Path:
    """Record demonstrations by the scripted expert, and return the demo set."""
    run("record", [*CELL, *DEMOS, *QUIET, f"run_root={folder}", "run_name=pegs"], folder)
    return folder / "pegs" / "demos"


def run(verb: str, words: Sequence[str], folder: Path) -> None:
    """Run a verb to its end."""
    with started(verb, words, folder) as command:
        command.check()


MAKERS: dict[str, Callable[[Browser, Path, Callable[[], None]], None]] = {
    "console": console,
    "view": view,
    "inspect": inspect,
    "compare": compare,
}

if __name__ == "__main__":
    raise SystemExit(main())
