import numpy as np

from steadyhand.runtime.gripper_entry import ACTS_FROM, gripper_wish


def test_only_a_clear_entry_is_a_wish():
    entries = np.array([-1.0, -ACTS_FROM, -0.1, 0.0, ACTS_FROM, 0.31, 1.0])
    np.testing.assert_array_equal(gripper_wish(entries), [-1, 0, 0, 0, 0, 1, 1])
