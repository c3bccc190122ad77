import numpy as np
import pytest

from steadyhand.transport.weights import Weights, WeightsError, decode, encode, newer


def weights(epoch=1, version=2) -> Weights:
    generator = np.random.default_rng(version)
    tensors = {"mean.weight": generator.normal(size=(3, 4)).astype(np.float32), "step": np.array([5], np.int64)}
    return Weights(epoch, version, tensors)


def test_round_trip():
    sent = weights()
    found = decode(encode(sent))
    assert (found.learner_epoch, found.policy_version) == (1, 2)
    assert found.tensors.keys() == sent.tensors.keys()
    for name, tensor in sent.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], tensor)
        assert found.tensors[name].dtype == tensor.dtype


def test_a_transposed_tensor_keeps_its_values():
    tensor = np.arange(12, dtype=np.float32).reshape(3, 4).T
    np.testing.assert_array_equal(decode(encode(Weights(0, 0, {"w": tensor}))).tensors["w"], tensor)


def test_any_changed_or_missing_byte_is_noticed():
    raw = encode(weights())
    for position in range(0, len(raw), 7):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises(WeightsError):
            decode(bytes(changed))
        with pytest.raises(WeightsError):
            decode(raw[:position])
    with pytest.raises(WeightsError):
        decode(raw + b"x")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_never_leave(bad):
    with pytest.raises(WeightsError, match="NaN or infinity in w"):
        encode(Weights(0, 0, {"w": np.array([0.0, bad], np.float32)}))


def test_the_epoch_counts_before_the_version():
    assert newer(weights(1, 3), weights(1, 2))
    assert newer(weights(2, 0), weights(1, 9))
    assert not newer(weights(1, 2), weights(1, 2))
    assert not newer(weights(1, 9), weights(2, 0))
    assert newer(weights(), None)
