import numpy as np
import pytest

from steadyhand.robot_envs.safety.gate import SafetyGate, StopReason
from steadyhand.robot_envs.safety.joint_limits import JointLimits, JointShaper, Singularity, joint_objection
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.robot_kit import limits, state

LIMITS = JointLimits((-1.0, -1.0), (1.0, 1.0), 0.1, (Singularity(1, 0.0, 0.2),), 1.0, 10.0, 200.0)


@pytest.mark.parametrize(
    ("position", "velocity", "named"),
    [
        ((0.0, 0.5), (1.0, 1.0), ""),
        ((0.95, 0.5), (0.1, 0.0), "joint 1 at 0.95 rad, range -1.00 to 1.00"),
        ((0.95, 0.5), (-0.1, 0.0), ""),
        ((-0.95, 0.5), (-0.1, 0.0), "joint 1"),
        ((0.0, 0.15), (0.0, -0.1), "joint 2 at 0.15 rad, singular at 0.00"),
        ((0.0, -0.15), (0.0, 0.1), "joint 2"),
        ((0.0, 0.15), (0.0, 0.1), ""),
        ((0.0, 0.15), (0.0, 0.0), ""),
    ],
)
def test_a_joint_that_moves_towards_a_limit_is_named(position, velocity, named):
    found = joint_objection(np.array(position), np.array(velocity), LIMITS)
    assert found.startswith(named) if named else found == ""


def test_a_singularity_counts_every_turn():
    own = JointLimits((-7.0,), (7.0,), 0.1, (Singularity(0, np.pi, 0.1),), 1.0, 10.0, 200.0)
    assert joint_objection(np.array([-np.pi - 0.05]), np.array([0.5]), own)
    assert not joint_objection(np.array([-np.pi - 0.05]), np.array([-0.5]), own)


def test_the_gate_stops_by_the_name_of_the_joint():
    gate = SafetyGate(limits(joints=LIMITS), 0.1)
    near = state(joint_position=np.array([[0.95, 0.5]]), joint_velocity=np.array([[0.2, 0.0]]))
    assert gate.check_state(near, 0) is StopReason.JOINT_LIMIT
    assert gate.stop_text.startswith("joint_limit (joint 1")
    gate.resume()
    away = state(joint_position=np.array([[0.95, 0.5]]), joint_velocity=np.array([[-0.2, 0.0]]))
    assert gate.check_state(away, 0) is None


def test_commanded_joints_stay_in_range_and_within_their_rates():
    shaper, rng = JointShaper(LIMITS), np.random.default_rng(0)
    shaper.begin(np.zeros(2))
    goal, found = np.zeros(2), [np.zeros(2)]
    for step in range(2000):
        if step % 37 == 0:
            goal = rng.uniform(-3, 3, 2)
        found.append(shaper.step(goal, 0.01))
    positions = np.array(found)
    speed = np.diff(positions, axis=0) / 0.01
    pull = np.diff(speed, axis=0) / 0.01
    assert np.abs(positions).max() <= 0.9 + 1e-6
    assert np.abs(speed).max() <= 1.0 + 1e-6
    assert np.abs(pull).max() <= 10.0 + 1e-6
    assert np.abs(np.diff(pull, axis=0)).max() / 0.01 <= 200.0 + 1e-4


@pytest.mark.parametrize("robot", ["mock", "crisp_fr3", "crisp_ur", "ur_fzi", "ur_servo"])
def test_a_robot_whose_joints_are_known_has_limits(robot):
    config = compose([f"robot={robot}"])
    joints = build(SafetyLimits, config["safety"], "safety").joints
    assert joints is not None
    assert len(joints.low_rad) == len(config["robot"].get("profile", {}).get("joints", joints.low_rad))


@pytest.mark.parametrize(
    "changes",
    [
        {"low_rad": (1.0, -1.0)},
        {"high_rad": (1.0,)},
        {"margin_rad": float("nan")},
        {"singularities": (Singularity(2, 0.0, 0.1),)},
        {"max_speed_rad_s": 0.0},
    ],
)
def test_limits_that_do_not_fit_are_refused(changes):
    values = {field: getattr(LIMITS, field) for field in LIMITS.__dataclass_fields__}
    with pytest.raises(ValueError, match="expected"):
        JointLimits(**(values | changes))
