"""A success classifier from invented logs, in which the state alone says what is a success."""

import dataclasses

import msgspec
import numpy as np
import pytest

from steadyhand.learner.classifier_data import ClassifierDataError, read_classifier_data
from steadyhand.learner.config import ClassifierConfig
from steadyhand.learner.fit_classifier import MANIFEST, fit_classifier
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from steadyhand.runtime.onnx_file import check_seal, open_session
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.record import Kind, Phase, record_dtype
from tests.unit.learner.logs import PIXELS, SCHEMA, session_id, writer_in

CONFIG = dataclasses.replace(
    build(ClassifierConfig, compose([])["classifier"]), encoder="none", hidden=(16,), updates=300, image_shift=0
)
STEPS = 6


def write(folder, wins, losses, number=0, schema=SCHEMA, seed=0):
    """Write `wins` successes, whose last state has a first number of 1, and `losses`, in which it stays below."""
    rng = np.random.default_rng(seed)
    writer = writer_in(folder, number, schema)
    for episode in range(wins + losses):
        won = episode < wins
        for step in range(STEPS + 1):
            place = 1.0 if won and step == STEPS else 0.5 * step / STEPS
            row = np.zeros((), record_dtype(schema))
            row["episode_id"], row["step_index"], row["valid"], row["phase"] = episode, step, True, Phase.DEMO
            row["kind"] = Kind.FINAL if step == STEPS else Kind.STEP
            row["success"] = won and step == STEPS - 1
            row["observation/state"] = (place, *rng.normal(size=2))
            if schema is PIXELS:
                left = 2 + int(20 * place)
                row["observation/side"][12:18, left : left + 6] = 200
            writer.append(row)
    writer.close()
    return folder


def quality(fit):
    return fit.quality.accuracy, fit.quality.precision, fit.quality.recall


def test_it_tells_held_out_episodes_apart_and_writes_what_it_computes(tmp_path):
    log = write(tmp_path / "log", 16, 16)
    fit = fit_classifier([log], [log], CONFIG, seed=0)
    assert (fit.trained_episodes, fit.quality.episodes, fit.quality.positives) == (24, 8, 4)
    assert min(quality(fit)) > 0.95
    check_seal(fit.raw, "file", "a classifier")
    session = open_session(fit.raw, "file")
    assert [(item.name, item.shape, item.type) for item in session.get_inputs()] == [("state", [3], "tensor(float)")]
    done, not_yet = (
        float(session.run(["probability"], {"state": np.array([place, 0.0, 0.0], np.float32)})[0])
        for place in (1.0, 0.4)
    )
    assert done > 0.5 > not_yet
    manifest = msgspec.json.decode(session.get_modelmeta().custom_metadata_map[MANIFEST])
    assert manifest["held_out"] == dataclasses.asdict(fit.quality)
    assert [field["name"] for field in manifest["fields"]] == ["state"]
    assert manifest["success"] == [str(log)]


def test_it_learns_from_one_camera(tmp_path):
    log = write(tmp_path / "log", 12, 12, schema=PIXELS)
    config = dataclasses.replace(
        CONFIG, fields=("side",), encoder="keypoints", latent_size=8, updates=150, batch_size=16, image_shift=1
    )
    fit = fit_classifier([log], [log], config, seed=0)
    assert min(quality(fit)) > 0.9
    names = [(item.name, item.shape) for item in open_session(fit.raw, "file").get_inputs()]
    assert names == [("side", [32, 32, 3])]


def test_labels_say_which_episodes_are_successes(tmp_path):
    log = write(tmp_path / "log", 4, 4)
    first = 3 * (STEPS + 1)  # the last success
    append_label(log, Label(session_id(0), first, first + STEPS + 1, None, None, False, "me", "2026-01-01"))
    with read_classifier_data([log], [log], CONFIG, 0) as data:
        assert data.trained_episodes + data.held_out_episodes == 8
        assert np.count_nonzero(data.trained_positive) + np.count_nonzero(data.held_out_positive) == 3


def test_no_episode_is_on_both_sides_and_ambiguous_observations_are_left_out(tmp_path):
    log = write(tmp_path / "log", 6, 6)
    config = dataclasses.replace(CONFIG, positive_steps=2, ambiguous_steps=3)
    with read_classifier_data([log], [log], config, 0) as data:
        episodes = [
            set(data.readers[0].gather(data.row[part], "episode_id").tolist()) for part in (data.trained, data.held_out)
        ]
        assert not episodes[0] & episodes[1]
        assert len(episodes[0] | episodes[1]) == 12
        states = data.gather("state", data.trained[data.trained_positive])
        assert len(states) == 2 * len(episodes[0] & set(range(6)))
        both = np.concatenate([data.trained, data.held_out])
        steps = data.readers[0].gather(data.row[both], "step_index")
        won = data.readers[0].gather(data.row[both], "episode_id") < 6
        assert set(steps[won].tolist()) == {0, 1, 5, 6}
        assert set(steps[~won].tolist()) == set(range(STEPS + 1))


def test_the_seed_fixes_the_file_but_for_its_date(tmp_path):
    log = write(tmp_path / "log", 4, 4)
    config = dataclasses.replace(CONFIG, updates=20)
    one, other, third = (fit_classifier([log], [log], config, seed) for seed in (1, 1, 2))
    state = {"state": np.array([0.7, 0.1, -0.2], np.float32)}
    found = [float(open_session(fit.raw, "file").run(None, state)[0]) for fit in (one, other, third)]
    assert found[0] == found[1] != found[2]
    assert one.quality == other.quality


@pytest.mark.parametrize(("wins", "losses", "kind"), [(1, 4, "success"), (4, 1, "failure"), (0, 4, "success")])
def test_too_few_episodes_are_one_line(tmp_path, wins, losses, kind):
    log = write(tmp_path / "log", wins, losses)
    found = wins if kind == "success" else losses
    with pytest.raises(ClassifierDataError, match=f"at least 2 episodes marked as {kind}, found {found}") as caught:
        fit_classifier([log], [log], CONFIG, seed=0)
    assert "\n" not in str(caught.value)


def test_logs_of_two_set_ups_are_refused(tmp_path):
    one, other = write(tmp_path / "one", 4, 0), write(tmp_path / "other", 0, 4, 1, PIXELS)
    with pytest.raises(ClassifierDataError, match=r"other: expected the observations of .*one, found others"):
        fit_classifier([one], [other], CONFIG, seed=0)


def test_frames_alone_need_an_encoder(tmp_path):
    frames = dataclasses.replace(PIXELS, observation=PIXELS.observation[1:])
    writer = writer_in(tmp_path, 0, PIXELS)
    writer.close()
    from steadyhand.learner.fit_classifier import _fields

    with pytest.raises(ClassifierDataError, match="expected an encoder where there are frames alone"):
        _fields(frames, CONFIG)
