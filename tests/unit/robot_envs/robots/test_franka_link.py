import numpy as np
import pytest

from steadyhand.robot_envs.frames import quat_from_rotvec
from steadyhand.robot_envs.robots.franka_link import _column_major, described

franky = pytest.importorskip("franky")


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "libfranka: Connection to FCI refused. Enable FCI mode in Desk.",
            "Connection to FCI refused. Enable FCI mode in Desk; activate FCI in Desk, and end any other program "
            "that holds it",
        ),
        (
            "libfranka: UDP receive:\nTimeout",
            "UDP receive: Timeout; look at the network and at the control box; the next reset connects again",
        ),
        ("libfranka: something new", "something new"),
        ("", "RuntimeError"),
    ],
)
def test_an_error_of_libfranka_is_one_line_with_its_remedy(message, line):
    assert described(RuntimeError(message)) == line


def test_a_pose_is_written_column_by_column():
    pose = (0.1, -0.2, 0.3, *quat_from_rotvec(np.array([0.4, -0.5, 0.6])).tolist())
    matrix = franky.Affine(np.array(pose[:3]), np.array(pose[3:])).matrix
    assert np.array(_column_major(pose)).reshape(4, 4, order="F") == pytest.approx(np.asarray(matrix))
