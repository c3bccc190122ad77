"""Train a success classifier from recorded episodes, for reward=classifier.

classifier fit --success DIR --failure DIR      writes one ONNX file
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.learner.fit_classifier import Quality, fit_classifier
from steadyhand.output import check_output
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.logging import quoted, setup
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.terminal import say
from steadyhand.training_settings import compose_training_settings

EPILOG = (
    "Demo sets and logs may be given, each option several times. Of --success the episodes marked as a success are\n"
    "taken, of --failure the others, so that one log may be given as both; `steadyhand relabel` corrects a mark.\n"
    "`steadyhand record` keeps failed attempts in the run's demos_failed/. Some episodes are held out and tested on.\n"
    "Settings: classifier.fields=[side], classifier.encoder=small_cnn, classifier.updates=2000 and so on.\n"
    "example: steadyhand classifier fit --success runs/pegs/demos --failure runs/pegs/demos_failed --output pegs.onnx"
)

GOOD = 0.9  # a reward by a classifier of lower precision or recall misleads the policy


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the episodes and the output file."""
    for kind in ("success", "failure"):
        parser.add_argument(
            f"--{kind}", type=Path, metavar="DIR", action="append", required=True, help=f"a log with episodes of {kind}"
        )
    parser.add_argument("--output", type=Path, metavar="FILE", default=Path("classifier.onnx"), help="the ONNX file")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Fit the classifier, print its quality, and write the file."""
    action, *words = overrides or ("",)
    if action != "fit":
        raise ConfigError(f"classifier: expected fit, found {quoted(action)}")
    settings = compose_training_settings(words)
    setup(settings.logging.level)
    check_output(options.output, "--output")
    with StopFlag().on_signals() as stop:
        fitted = fit_classifier(options.success, options.failure, settings.classifier, settings.seed, stop)
    if stop():
        return 130
    atomic_write_bytes(options.output, fitted.raw)
    quality = fitted.quality
    say(f"trained on {fitted.trained_episodes} episodes; {quality_text(quality)}")
    if min(quality.precision or 0.0, quality.recall) < GOOD:
        say(
            f"weak: expected precision and recall of at least {GOOD:.0%} on held-out episodes; record more of both "
            "kinds, or name the fields that show success with classifier.fields=[...]"
        )
    say(f"{options.output}: {len(fitted.raw) / 1e6:.1f} MB; next: reward=classifier reward.model={options.output}")
    return 0


def quality_text(quality: Quality) -> str:
    """Return the quality on held-out episodes as one line."""
    precision = "-" if quality.precision is None else f"{quality.precision:.1%}"
    return (
        f"on {quality.observations} observations of {quality.episodes} others, {quality.positives} of them of success: "
        f"accuracy {quality.accuracy:.1%}, precision {precision}, recall {quality.recall:.1%}"
    )
