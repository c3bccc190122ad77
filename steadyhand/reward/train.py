"""Train a success classifier on recorded episodes, for reward=classifier.

It writes one ONNX file, and beside it its numbers as JSON and a page with its curves.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.learner.classifier_quality import Quality
from steadyhand.learner.fit_classifier import ClassifierFit, fit_classifier
from steadyhand.output import check_output
from steadyhand.reward.classifier_page import render_classifier
from steadyhand.reward.folders import example_folders, folders_and_overrides
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.terminal import say
from steadyhand.training_settings import compose_training_settings

__all__ = ["EPILOG", "add_options", "quality_text", "run"]

EPILOG = (
    "A folder is a run, a set of examples, a demo set or a log. In an episode with marks each marked observation is\n"
    "an example. In one without, the last classifier.positive_steps observations of a success are positive, the\n"
    "others negative; `steadyhand relabel` corrects an outcome. Some episodes are held out and tested on.\n"
    "Settings: classifier.fields=[side], classifier.encoder=keypoints, classifier.false_positive_rate=0.002, ...\n"
    "example: steadyhand reward train runs/pegs/examples classifier.fields=[wrist] --output pegs.onnx"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the folders and the output file."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="recorded episodes")
    parser.add_argument("--output", type=Path, metavar="FILE", default=Path("classifier.onnx"), help="the ONNX file")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Train the classifier, print its quality, and write its files."""
    given, words = folders_and_overrides(options.folders, overrides)
    settings = compose_training_settings(words)
    setup(settings.logging.level)
    paths = [options.output, options.output.with_suffix(".json"), options.output.with_suffix(".html")]
    for path in paths:
        check_output(path, "--output")
    with StopFlag().on_signals() as stop:
        fit = fit_classifier(example_folders(given), settings.classifier, settings.seed, stop)
    if stop():
        return 130
    page = render_classifier(fit, options.output.name)
    numbers = json.dumps(fit.facts(), indent=2)
    for path, raw in zip(paths, (fit.raw, numbers.encode(), page.encode()), strict=True):
        atomic_write_bytes(path, raw)
    say(
        f"trained on {fit.trained_episodes} episodes in {fit.training_s:.0f} s; on {len(fit.positive)} observations of "
        f"{fit.held_out_episodes} others:"
    )
    for name, quality in zip(fit.stages, fit.qualities, strict=True):
        say(f"  {name}: {quality_text(quality)}")
    say(_verdict(fit, settings.classifier.false_positive_rate, settings.classifier.required_recall))
    say(f"{options.output}: {len(fit.raw) / 1e6:.1f} MB; next: reward=classifier reward.model={options.output}")
    return 0


def quality_text(quality: Quality) -> str:
    """Return the quality at the suggested threshold as one line."""
    negatives = quality.false_positives + quality.true_negatives
    precision = "-" if quality.precision is None else f"{quality.precision:.1%}"
    return (
        f"threshold {quality.threshold:.3f}, {quality.false_positives} of {negatives} negatives wrong "
        f"({quality.false_positive_rate:.2%}), {quality.false_negatives} of "
        f"{quality.true_positives + quality.false_negatives} positives missed, "
        f"accuracy {quality.accuracy:.1%}, precision {precision}, recall {quality.recall:.1%}"
    )


def _verdict(fit: ClassifierFit, rate: float, recall: float) -> str:
    """Return a line on whether the classifier is good enough, and on how much the held-out episodes can show."""
    quality = fit.quality
    negatives = quality.false_positives + quality.true_negatives
    if quality.recall < recall or quality.false_positive_rate > rate:
        return (
            f"weak: expected a recall of at least {recall:.0%} with at most {rate:.2%} false positives on held-out "
            "episodes; record more of both kinds, or name the fields that show success with classifier.fields=[...]"
        )
    if 0.0 < rate < 1.0 / negatives:
        return (
            f"not known: {negatives} held-out negatives cannot show a false-positive rate of {rate:.2%}, which takes "
            f"{1.0 / rate:,.0f}; test on more episodes with `steadyhand reward check`"
        )
    return f"good: recall {quality.recall:.1%} at a false-positive rate of {quality.false_positive_rate:.2%}"
