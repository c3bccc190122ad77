"""A success classifier from invented logs, in which the state alone says what is a success."""

import dataclasses

import numpy as np
import pytest

from steadyhand.learner.classifier_data import ClassifierDataError
from steadyhand.learner.config import ClassifierConfig
from steadyhand.learner.fit_classifier import fit_classifier
from steadyhand.runtime.build import build
from steadyhand.runtime.classifier_manifest import ReadField, read_classifier_manifest
from steadyhand.runtime.config import compose
from steadyhand.runtime.onnx_file import check_seal, open_session
from steadyhand.transport.label_log import Label, append_label
from tests.unit.learner.classifier_logs import FRAMES, STEPS, write
from tests.unit.learner.logs import PIXELS, session_id

CONFIG = dataclasses.replace(
    build(ClassifierConfig, compose(["classifier.ambiguous_steps=1"])["classifier"]),
    encoder="none",
    hidden=(16,),
    updates=300,
    batch_size=64,
    image_shift=0,
)


def rates(fit):
    return fit.quality.accuracy, fit.quality.precision, fit.quality.recall


def test_it_tells_held_out_episodes_apart_and_writes_what_it_computes(tmp_path):
    log = write(tmp_path / "log", 16, 16)
    fit = fit_classifier([log], CONFIG, seed=0)
    assert (fit.trained_episodes, fit.held_out_episodes, int(fit.positive.sum())) == (24, 8, 4)
    assert fit.trained == (12 * (STEPS + 1) + 12 * (STEPS - 1), 12)
    assert min(rates(fit)) > 0.95
    assert fit.quality.false_positives + fit.quality.true_negatives == 4 * (STEPS + 1) + 4 * (STEPS - 1)
    check_seal(fit.raw, "file", "a classifier")
    session = open_session(fit.raw, "file")
    assert [(item.name, item.shape, item.type) for item in session.get_inputs()] == [("state", [3], "tensor(float)")]
    done, not_yet = (
        float(session.run(["probability"], {"state": np.array([place, 0.0, 0.0], np.float32)})[0][0])
        for place in (1.0, 0.4)
    )
    manifest = read_classifier_manifest(session, "file")
    assert done >= manifest.thresholds[0] == fit.quality.threshold > not_yet
    assert manifest.stages == ("success",)
    assert manifest.fields == (ReadField("state", (3,), "float32", "base"),)
    assert manifest.facts["folders"] == [str(log)]
    assert manifest.facts["held_out"]["stages"]["success"]["recall"] == fit.quality.recall
    assert 0.5 < manifest.certainty <= 1.0


def test_it_learns_from_one_camera_and_keeps_its_view_and_crop(tmp_path):
    log = write(tmp_path / "log", 12, 12, schema=PIXELS)
    config = dataclasses.replace(
        CONFIG, fields=("side",), encoder="keypoints", latent_size=8, updates=150, batch_size=16, image_shift=1
    )
    fit = fit_classifier([log], config, seed=0)
    assert min(rates(fit)) > 0.9
    session = open_session(fit.raw, "file")
    assert [(item.name, item.shape) for item in session.get_inputs()] == [("side", [32, 32, 3])]
    assert read_classifier_manifest(session, "file").fields[0].frame == "side camera"


def mark(log, episode, stages):
    first = episode * (STEPS + 1)
    append_label(
        log, Label(session_id(0), first, first + len(stages), None, None, None, "me", "", stages=tuple(stages))
    )


def test_two_stages_are_two_probabilities(tmp_path):
    log = write(tmp_path / "log", 12, 12)
    for episode in range(24):  # the first number is 0.5 / 6 a step, and 1 at the end of a success
        mark(log, episode, [0, 0, 0, 0, 1, 1, 2 if episode < 12 else 1])
    config = dataclasses.replace(CONFIG, stages=("half", "done"), ambiguous_steps=0, updates=500)
    fit = fit_classifier([log], config, seed=0)
    assert [quality.recall > 0.9 for quality in fit.qualities] == [True, True]
    session = open_session(fit.raw, "file")
    found = [
        session.run(["probability"], {"state": np.array([place, 0.0, 0.0], np.float32)})[0] for place in (0.1, 0.4, 1.0)
    ]
    reached = [[bool(p >= q.threshold) for p, q in zip(one, fit.qualities, strict=True)] for one in found]
    assert reached == [[False, False], [True, False], [True, True]]
    assert fit.facts()["trained_examples"].keys() == {"none", "half", "done"}


def test_the_seed_fixes_the_file_but_for_its_date(tmp_path):
    log = write(tmp_path / "log", 4, 4)
    config = dataclasses.replace(CONFIG, updates=20)
    one, other, third = (fit_classifier([log], config, seed) for seed in (1, 1, 2))
    state = {"state": np.array([0.7, 0.1, -0.2], np.float32)}
    found = [float(open_session(fit.raw, "file").run(None, state)[0][0]) for fit in (one, other, third)]
    assert found[0] == found[1] != found[2]
    assert one.quality == other.quality


def test_frames_alone_need_an_encoder(tmp_path):
    log = write(tmp_path / "log", 4, 4, schema=FRAMES)
    with pytest.raises(ClassifierDataError, match="expected an encoder where there are frames alone"):
        fit_classifier([log], CONFIG, seed=0)
