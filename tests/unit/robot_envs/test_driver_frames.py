"""A driver's readings in the frame of the commands."""

import numpy as np
import pytest

from steadyhand.robot_envs.driver_frames import DriverFrames, FixedTransform, frame_fault
from steadyhand.robot_envs.frames import pose_compose, quat_from_rotvec, quat_inverse, quat_rotate

HALF_TURN = FixedTransform((0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
MOVED = FixedTransform((0.1, -0.2, 0.3), tuple(quat_from_rotvec(np.array([0.0, 0.0, np.pi / 2]))))
TOOL_DOWN = np.array([1.0, 0.0, 0.0, 0.0])
TILTED = quat_from_rotvec(np.array([0.3, -0.5, 1.1]))


def frames(axes="base", transform=None):
    return DriverFrames("driver", "driver", "tool", axes, transform)


def test_in_the_same_frame_nothing_changes():
    pose = np.array([0.5, 0.1, 0.3, *TILTED])
    assert frames().to_base(pose) is pose
    assert frames().tool_quat_of_driver(TILTED) is TILTED


def test_a_ur_says_in_base_that_the_tool_is_behind_and_it_is_in_front():
    pose = np.array([-0.5, -0.1, 0.3, *TOOL_DOWN])
    found = frames(transform=HALF_TURN).to_base(pose)
    assert found[:3] == pytest.approx([0.5, 0.1, 0.3])
    # Turned by pi about z, the tool still points down.
    down = quat_rotate(found[None, 3:], np.array([[0.0, 0.0, 1.0]]))[0]
    assert down == pytest.approx([0.0, 0.0, -1.0])


def test_a_frame_that_is_moved_and_turned():
    found = frames(transform=MOVED).to_base(np.array([0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
    assert found[:3] == pytest.approx([0.1, 0.3, 0.3])


@pytest.mark.parametrize("transform", [None, HALF_TURN, MOVED])
def test_the_twist_is_the_derivative_of_the_pose_whatever_its_axes(transform):
    """A tool that is turned and moves and turns: the two ways to tell its twist, and the change of its pose, agree."""
    step_s = 1e-6
    twist = np.array([0.2, -0.1, 0.05, 0.4, 0.3, -0.7])  # in the driver's frame
    pose = np.array([0.5, 0.1, 0.3, *TILTED])
    after = np.concatenate([pose[:3] + twist[:3] * step_s, _turned(twist[3:] * step_s, pose[3:])])
    of_base, of_tool = frames("base", transform), frames("local", transform)
    moved = (of_base.to_base(after)[:3] - of_base.to_base(pose)[:3]) / step_s
    tool_quat = of_base.to_base(pose)[3:]
    local = quat_rotate(np.broadcast_to(quat_inverse(TILTED), (2, 4)), twist.reshape(2, 3)).ravel()
    from_base, from_local = of_base.twist_to_base(twist, tool_quat), of_tool.twist_to_base(local, tool_quat)
    assert from_base[:3] == pytest.approx(moved, abs=1e-6)
    assert from_local == pytest.approx(from_base)
    assert not np.allclose(of_tool.twist_to_base(twist, tool_quat), from_base), "taking one for the other is wrong"


def test_the_tool_as_the_driver_sees_it():
    pose = np.array([0.5, 0.1, 0.3, *TILTED])
    in_base = pose_compose(MOVED.pose, pose)
    found = frames(transform=MOVED).tool_quat_of_driver(in_base[3:])
    assert abs(found @ TILTED) == pytest.approx(1.0)


def test_a_transform_needs_a_direction():
    with pytest.raises(ValueError, match="unit quaternion xyzw, found length 2"):
        FixedTransform((0.0, 0.0, 0.0), (0.0, 0.0, 2.0, 0.0))


def test_a_frame_fits_exactly_or_not_at_all():
    assert frame_fault("pose", "frames.pose", "base", "base") == ""
    assert frame_fault("pose", "frames.pose", "", "") == ""
    for found in ("", "world", "/base"):
        line = frame_fault("current_pose", "frames.pose", "base", found)
        assert line.startswith(f"wrong frame: current_pose: expected frame_id 'base', found '{found}'; ")
        assert "robot.profile.frames.pose" in line
        assert "\n" not in line


def _turned(rotvec, quat):
    from steadyhand.robot_envs.frames import quat_multiply

    return quat_multiply(quat_from_rotvec(rotvec), quat)
