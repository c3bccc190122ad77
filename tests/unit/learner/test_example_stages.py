import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from steadyhand.learner.config import ClassifierConfig
from steadyhand.learner.example_stages import example_stages
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from steadyhand.transport.labelled import UNMARKED, EpisodeRows

CONFIG = build(ClassifierConfig, compose(["classifier.ambiguous_steps=1"])["classifier"], "classifier")
NO = UNMARKED


def stages(marks, success, **settings):
    columns = SimpleNamespace(stage=np.array(marks, np.int16), success=np.array([success] * len(marks)))
    rows = np.arange(len(marks))
    return example_stages(columns, EpisodeRows(0, rows[:-1], rows), dataclasses.replace(CONFIG, **settings)).tolist()


@pytest.mark.parametrize(
    ("marks", "success", "settings", "expected"),
    [
        ([NO] * 5, True, {}, [0, 0, 0, -1, 1]),
        ([NO] * 5, True, {"positive_steps": 2, "ambiguous_steps": 2}, [0, -1, -1, 1, 1]),
        ([NO] * 3, True, {"positive_steps": 9}, [1, 1, 1]),
        ([NO] * 5, False, {}, [0] * 5),
        ([NO] * 5, True, {"stages": ("a", "b")}, [-1, -1, -1, -1, 2]),
        ([NO] * 5, False, {"stages": ("a", "b")}, [-1] * 5),
        ([0, 0, 1, 1, 0, 1], False, {}, [0, -1, 1, 1, -1, 1]),
        ([0, 0, 0, 1, 1, 2], False, {"stages": ("a", "b")}, [0, 0, -1, 1, -1, 2]),
        ([0, NO, NO, 1, 1], True, {}, [0, -1, -1, 1, 1]),
        ([0, 0, 0, 1, 1, 1, 1, 2], False, {"stages": ("a", "b"), "ambiguous_steps": 2}, [0, -1, -1, 1, 1, -1, -1, 2]),
        ([1, 1, 0, 1], False, {"ambiguous_steps": 3}, [1, 1, -1, 1]),
        ([0, 0, 1, 1], True, {"ambiguous_steps": 0}, [0, 0, 1, 1]),
    ],
)
def test_marks_count_first_and_a_rise_is_unsure(marks, success, settings, expected):
    assert stages(marks, success, **settings) == expected
