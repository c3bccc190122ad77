import numpy as np

from steadyhand.actor.observation_window import ObservationWindow


def observation(value):
    return {"a": np.full(2, value, np.float32), "b": np.full((1, 1, 3), value, np.uint8), "unread": np.zeros(9)}


def test_the_newest_is_last_and_the_first_stands_in_for_those_before_it():
    window = ObservationWindow([("a", (2,), "float32"), ("b", (1, 1, 3), "uint8")], 3)
    window.begin(observation(1))
    assert window.arrays["a"][:, 0].tolist() == [1, 1, 1]
    for value in (2, 3, 4):
        window.observe(observation(value))
    assert window.arrays["a"][:, 0].tolist() == [2, 3, 4]
    assert window.arrays["b"][:, 0, 0, 0].tolist() == [2, 3, 4]
    window.begin(observation(9))
    assert window.arrays["b"][:, 0, 0, 0].tolist() == [9, 9, 9]
    assert set(window.arrays) == {"a", "b"}


def test_one_observation_is_the_newest():
    window = ObservationWindow([("a", (2,), "float32")], 1)
    window.begin(observation(1))
    window.observe(observation(2))
    assert window.arrays["a"].tolist() == [[2, 2]]
    assert window.arrays["a"].dtype == np.float32
