"""The line of the account about the success classifier, tried on fresh examples of the new run."""

from __future__ import annotations

from dataclasses import replace

from steadyhand.earlier.line import DIFFERS, FITS, REFUSED, UNKNOWN, Line
from steadyhand.job import Job
from steadyhand.log_facts import log_folders
from steadyhand.reward.verdicts import EpisodeVerdict, episode_verdicts
from steadyhand.robot_envs.rewards.classifier import ClassifierReward
from steadyhand.robot_envs.rewards.reward import SeenField
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import Component
from steadyhand.runtime.onnx_file import MissingRuntimeError
from steadyhand.transport.schema import Schema

__all__ = ["classifier_line"]

SUBJECT = "classifier"
RECORD = "record fresh examples with `steadyhand reward record` under this run's name"


def classifier_line(job: Job, schema: Schema | None) -> Line:
    """Check the classifier's cameras, and count its errors on this run's examples, demonstrations and failures.

    It is refused by the rule of `steadyhand reward check`: more wrong negatives than `classifier.false_positive_rate`,
    or a success that is confirmed where none is shown.
    """
    component = job.settings.reward
    try:
        reward = component.make() if isinstance(component, Component) else None
        if not isinstance(reward, ClassifierReward):
            return Line(SUBJECT, REFUSED, "another reward=... is chosen; leave it out, or classifier in earlier.take")
        if schema is not None:
            fields = schema.observation
            reward.check({field.name: SeenField(field.shape, field.dtype, field.frame) for field in fields})
        config = replace(job.settings.classifier, stages=reward.stages)
        places = (job.run.examples, job.run.demos, job.run.failed_demos)
        folders = [log for place in places for log in log_folders(place)]
        verdicts = [one for folder in folders for one in episode_verdicts(folder, reward, config)]
    except ConfigError as error:
        return Line(SUBJECT, REFUSED, str(error))
    except MissingRuntimeError as error:
        return Line(SUBJECT, UNKNOWN, f"not tried here: {error}")
    if not verdicts:
        return Line(SUBJECT, UNKNOWN, f"not tried on fresh frames, as this run has none; {RECORD}")
    return _judged(verdicts, config.false_positive_rate, config.required_recall)


def _judged(verdicts: list[EpisodeVerdict], rate: float, recall: float) -> Line:
    negatives, wrong = sum(one.negatives for one in verdicts), sum(one.false_positives for one in verdicts)
    positives, missed = sum(one.positives for one in verdicts), sum(one.false_negatives for one in verdicts)
    told = (
        f"on {len(verdicts)} fresh episodes {wrong} of {negatives} negatives and {missed} of {positives} positives "
        "are wrong"
    )
    if wrong > rate * negatives or any(one.false_success is not None for one in verdicts):
        return Line(SUBJECT, REFUSED, f"{told}; train it anew with these examples (`steadyhand reward train`)")
    if missed > (1.0 - recall) * positives:
        return Line(SUBJECT, DIFFERS, f"{told}; successes will be missed, so {RECORD} and train it anew")
    return Line(SUBJECT, FITS, told)
