import numpy as np

from steadyhand.learner.replay.columns import Column


def test_grows_and_keeps_what_was_there():
    column, expected = Column(np.int32), []
    for size in (0, 1, 1023, 5000, 3):
        added = np.arange(size) + len(expected)
        column.extend(added)
        expected += added.tolist()
        assert len(column) == len(expected)
    assert column.values.dtype == np.int32
    np.testing.assert_array_equal(column.values, expected)


def test_values_can_be_changed_in_place():
    column = Column(np.bool_)
    column.extend([True, True])
    column.values[-1] = False
    column.extend([True])
    np.testing.assert_array_equal(column.values, [True, False, True])
