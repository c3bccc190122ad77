import numpy as np
import pytest

from steadyhand.learner.classifier_quality import (
    CURVE_POINTS,
    false_positive_threshold,
    fitted_temperature,
    quality,
    sigmoid,
    suggested_threshold,
)


def logits(count=4000, scale=1.0, seed=0):
    """Return logits whose sigmoid at temperature `scale` is the true probability, and the truth."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0.0, 2.0, count)
    return scale * true, rng.random(count) < sigmoid(true)


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_the_temperature_undoes_a_wrong_scale_of_the_logits(scale):
    assert fitted_temperature(*logits(scale=scale)) == pytest.approx(scale, rel=0.1)


def test_separated_logits_do_not_become_certain():
    found, positive = np.array([-9.0, -8.0, -7.0, 6.0, 8.0]), np.array([0, 0, 0, 1, 1], bool)
    probability = sigmoid(found / fitted_temperature(found, positive))
    assert 0.05 < probability[0] < 0.3
    assert 0.6 < probability[-1] < 0.95


@pytest.mark.parametrize(("rate", "wrong"), [(0.0, 0), (0.1, 1), (0.2, 2), (0.25, 2)])
def test_the_threshold_keeps_the_false_positives_at_their_rate(rate, wrong):
    negatives, positives = np.linspace(0.05, 0.95, 10), np.array([0.9, 0.97, 0.99])
    probability = np.concatenate([negatives, positives])
    positive = np.arange(len(probability)) >= len(negatives)
    threshold = false_positive_threshold(probability, positive, rate)
    assert np.count_nonzero(negatives >= threshold) == wrong


def test_the_threshold_is_between_classes_that_are_apart():
    probability, positive = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1], bool)
    assert false_positive_threshold(probability, positive, 0.0) == pytest.approx(0.5)
    assert false_positive_threshold(np.array([0.1, 1.0, 0.9]), np.array([0, 0, 1], bool), 0.0) == 1.0


def test_a_few_negatives_like_the_success_do_not_lift_the_threshold_above_it():
    probability = np.array([0.1, 0.2, 0.3, 0.99, 0.8, 0.85, 0.9, 0.95])
    positive = np.arange(8) >= 4
    assert suggested_threshold(probability, positive, 0.0, 0.0) > 0.99
    assert suggested_threshold(probability, positive, 0.0, 0.75) == 0.85
    assert suggested_threshold(probability, positive, 0.0, 1.0) == 0.8
    assert suggested_threshold(probability, positive, 0.25, 1.0) == pytest.approx(0.55)


def test_the_confusion_matrix_and_its_rates():
    probability = np.array([0.9, 0.6, 0.4, 0.7, 0.2, 0.1, 0.3, 0.05])
    positive = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    found = quality(probability, positive, 0.5)
    assert (found.true_positives, found.false_positives, found.true_negatives, found.false_negatives) == (2, 1, 4, 1)
    assert (found.accuracy, found.precision, found.recall) == (0.75, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.false_positive_rate == 0.2
    assert quality(probability, positive, 0.95).precision is None
    points = {point.threshold: (point.precision, point.recall) for point in found.curve}
    assert points[0.9] == (1.0, pytest.approx(1 / 3))
    assert points[0.4] == (0.75, 1.0)
    assert points[0.05] == (3 / 8, 1.0)


def test_a_long_curve_is_thinned():
    values, positive = logits()
    curve = quality(sigmoid(values), positive, 0.5).curve
    assert len(curve) == CURVE_POINTS
    assert [point.threshold for point in curve] == sorted(point.threshold for point in curve)


def test_the_sigmoid_does_not_overflow():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
