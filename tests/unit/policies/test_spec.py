import json

import msgspec
import pytest

from steadyhand.policies import InputSpec, PolicySpec, PolicySpecError
from steadyhand.policies.critic import CriticSettings

CHOOSER = CriticSettings((16, 16), True, 2, "scalar", (0.0, 1.0), 101, 0.75, True)


def test_json_round_trip(make_spec):
    normaliser = {"state": ([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])}
    spec = make_spec(encoder="small_cnn", normaliser=normaliser, chooser=CHOOSER)
    assert PolicySpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"inputs": ()}, "inputs"),
        ({"obs_horizon": 0}, "obs_horizon"),
        ({"action_size": 0}, "action_size"),
        ({"activation": "gelu"}, "activation"),
        ({"encoder": "vit"}, "timm:<name>"),
        ({"log_std_min": 3.0}, "log_std_min"),
        ({"inputs": (InputSpec("a", (2,), "float32"),) * 2}, "distinct keys"),
        ({"inputs": (InputSpec("a", (2,), "int64"),)}, "dtype"),
        ({"inputs": (InputSpec("a", (64, 64, 3), "uint8"),)}, "encoder"),
        ({"inputs": (InputSpec("a", (8, 64, 3), "uint8"),), "encoder": "small_cnn"}, "pixels"),
        ({"log_std_start": 2.5}, "log_std_start"),
        ({"encoder": "keypoints", "latent_size": 7}, "even"),
        ({"chooser": CHOOSER, "residual_scale": 0.5}, "chooser"),
        ({"chooser": CHOOSER, "gripper_entries": (1,), "gripper_head": "decisions"}, "chooser"),
        ({"normaliser": {"state": ([0.0], [1.0])}}, "normaliser"),
        ({"normaliser": {"state": ([0.0] * 3, [1.0, 0.0, 1.0])}}, "positive"),
    ],
)
def test_a_spec_that_cannot_be_built_is_refused(make_spec, changes, named):
    with pytest.raises(PolicySpecError, match=named):
        make_spec(**changes)


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data.update(depth=3),
        lambda data: data.pop("hidden"),
        lambda data: data.update(obs_horizon="two"),
        lambda data: data.update(activation="gelu"),
        lambda data: data.update(chooser={"num_critics": 2}),
        lambda data: data.update(chooser=msgspec.to_builtins(CHOOSER) | {"num_critics": 0}),
    ],
)
def test_foreign_json_is_refused(make_spec, edit):
    data = make_spec().to_json()
    edit(data)
    with pytest.raises(PolicySpecError):
        PolicySpec.from_json(data)
