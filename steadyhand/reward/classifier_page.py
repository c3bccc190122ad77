"""The page about a trained classifier: its confusion matrix, its precision and recall, and its probabilities."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from steadyhand.learner.classifier_quality import Quality
from steadyhand.learner.fit_classifier import ClassifierFit
from steadyhand.report.chart import Bars, Line, histogram, line_chart
from steadyhand.report.page import page_environment

__all__ = ["render_classifier"]


def render_classifier(fit: ClassifierFit, name: str) -> str:
    """Return the page, one HTML file without anything outside of it.

    Args:
        fit: The classifier, with its held-out probabilities.
        name: Name of its file.
    """
    stages = [
        {
            "name": stage,
            "matrix": [
                ("shows it", quality.true_positives, quality.false_negatives),
                ("does not", quality.false_positives, quality.true_negatives),
            ],
            "curve": Markup(_curve(quality)),  # noqa: S704  our own SVG
        }
        for stage, quality in zip(fit.stages, fit.qualities, strict=True)
    ]
    return (
        page_environment()
        .get_template("classifier.html")
        .render(
            title=f"Steadyhand: {name}",
            name=name,
            tiles=_tiles(fit),
            stages=stages,
            histogram=Markup(_histogram(fit)),  # noqa: S704  our own SVG
        )
    )


def _tiles(fit: ClassifierFit) -> list[tuple[str, str, str]]:
    """Return name, value and note of each figure."""
    quality = fit.quality
    examples = ", ".join(f"{count} {name}" for name, count in zip(("none", *fit.stages), fit.trained, strict=True))
    return [
        ("Threshold", f"{quality.threshold:.3f}", "suggested, of the success"),
        ("False positives", f"{100 * quality.false_positive_rate:.2f} %", "of the held-out negatives"),
        ("Recall", f"{100 * quality.recall:.1f} %", "of the held-out positives"),
        ("Accuracy", f"{100 * quality.accuracy:.1f} %", f"of {len(fit.positive)} held-out observations"),
        ("Trained on", f"{fit.trained_episodes} episodes", examples),
        ("Held out", f"{fit.held_out_episodes} episodes", "they set temperature and threshold, too"),
        ("Temperature", f"{fit.temperatures[-1]:.2f}", "divisor of the logit of the success"),
        ("Training", f"{fit.training_s:.0f} s", "of gradient steps"),
    ]


def _curve(quality: Quality) -> str:
    points = [(point.recall, point.precision) for point in quality.curve]
    return line_chart([Line("precision", "policy", sorted(points))], "Precision by recall", "recall", percent=True)


def _histogram(fit: ClassifierFit) -> str:
    groups: list[tuple[str, str, Any]] = [("success", "policy", fit.positive), ("no success", "person", ~fit.positive)]
    bars = [Bars(label, tone, fit.probability[which].tolist()) for label, tone, which in groups]
    return histogram(bars, "Probabilities", "probability of success")
