from typing import get_args

import numpy as np
import pytest

from steadyhand.runtime.observation_kinds import DTYPES, IMAGE, KINDS, VECTOR, Dtype, kind_of, misfit


def test_the_annotation_and_the_table_name_the_same_types():
    assert get_args(Dtype) == tuple(sorted(DTYPES, reverse=True)) == ("uint8", "float32")
    for kind in KINDS.values():
        assert np.dtype(kind.stored) == np.dtype(kind.dtype)


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [
        ((3,), np.dtype("float32"), VECTOR),
        ((3,), "float32", VECTOR),
        ((8, 6, 3), np.dtype("uint8"), IMAGE),
        ((8, 6, 1), "uint8", None),
        ((8, 6), "uint8", None),
        ((8, 6, 3), "uint16", None),
        ((8, 6, 3), "float32", None),
        ((3,), "float64", None),
    ],
)
def test_a_field_is_of_a_kind_or_of_none(shape, dtype, kind):
    assert kind_of(shape, dtype) is kind


def test_a_grey_or_deep_image_is_told_what_to_do():
    assert "three channels of 8 bits" in misfit((8, 6), "uint16")
    assert "three channels" not in misfit((8,), "float64")
