import numpy as np
import pytest

from policies import EncoderError, Policy
from policies.encoders import encoder_hash


def test_hash_depends_on_names_shapes_and_values_but_not_on_order():
    tensors = {"a": np.zeros((2, 3), np.float32), "b": np.ones(2, np.float32)}
    assert encoder_hash(tensors) == encoder_hash(dict(reversed(tensors.items())))
    for changed in ({"a": np.zeros((3, 2), np.float32)}, {"b": np.zeros(2, np.float32)}):
        assert encoder_hash(tensors) != encoder_hash(tensors | changed)


def encoder_weights(policy):
    return {name: value.detach().numpy().copy() for name, value in policy.encoders.named_parameters()}


def test_a_frozen_encoder_is_loaded_and_never_travels(make_spec):
    source = encoder_weights(Policy(make_spec(encoder="small_cnn"), seed=5))
    policy = Policy(make_spec(encoder="small_cnn", encoder_hash=encoder_hash(source)), seed=1, frozen_encoder=source)
    for name, value in encoder_weights(policy).items():
        np.testing.assert_array_equal(value, source[name])
    assert not any(name.startswith("encoders") for name in policy.trainable_tensors())
    assert not any(parameter.requires_grad for parameter in policy.encoders.parameters())


def test_missing_foreign_or_ill_fitting_frozen_weights_are_refused(make_spec):
    source = encoder_weights(Policy(make_spec(encoder="small_cnn"), seed=5))
    spec = make_spec(encoder="small_cnn", encoder_hash=encoder_hash(source))
    with pytest.raises(EncoderError, match="no weights"):
        Policy(spec)
    with pytest.raises(EncoderError, match="sha256"):
        Policy(spec, frozen_encoder=source | {"0.dense.bias": np.ones(8, np.float32)})
    fewer = {name: value for name, value in source.items() if name != "0.dense.bias"}
    with pytest.raises(EncoderError, match="do not fit"):
        Policy(make_spec(encoder="small_cnn", encoder_hash=encoder_hash(fewer)), frozen_encoder=fewer)
