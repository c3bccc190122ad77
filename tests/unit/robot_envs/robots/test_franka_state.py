from types import SimpleNamespace

import pytest

from steadyhand.robot_envs.robots.franka_state import fault_of

franky = pytest.importorskip("franky")


def state(mode, *errors):
    names = [name for name in dir(franky.Errors) if not name.startswith("_")]
    assert set(errors) <= set(names)
    return SimpleNamespace(
        robot_mode=getattr(franky.RobotMode, mode),
        current_errors=SimpleNamespace(**{name: name in errors for name in names}),
    )


@pytest.mark.parametrize("mode", ["Idle", "Move"])
def test_an_arm_that_can_move_has_no_fault(mode):
    assert fault_of(state(mode)) == ""


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (("Reflex", "joint_reflex", "cartesian_reflex"), "reflex: cartesian_reflex, joint_reflex"),
        (("Reflex",), "reflex: no error named"),
        (("Idle", "joint_velocity_violation"), "reflex: joint_velocity_violation"),
        (("UserStopped",), "user stop: release the stop button"),
        (("Other",), "not ready: close the stop, unlock the joints and activate FCI in Desk"),
    ],
)
def test_a_fault_is_named(found, fault):
    assert fault_of(state(*found)) == fault
