import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.mock.gap import CAMERAS, GapConfig
from steadyhand.robot_envs.mock.hidden import draw_hidden_truth
from steadyhand.robot_envs.mock.optics import camera_in_base
from steadyhand.runtime.build import build
from tests.config_kit import composed
from tests.gap_kit import BALL, make_arm
from tests.robot_kit import TOOL_DOWN

PEG = {"kind": "square_peg", "side_m": 0.02, "length_m": 0.03}
AT = frames.pose([0.5, 0.0, 0.3], TOOL_DOWN)
PLACE = frames.pose([0.5, 0.1, 0.05])


def truth_of(*overrides, seed=0):
    hidden = build(GapConfig, composed(*overrides)["gap"], "gap").hidden
    return draw_hidden_truth(hidden, seed, CAMERAS, 7)


def test_the_seed_draws_it_within_the_ranges():
    first, again, other = truth_of("gap=real"), truth_of("gap=real"), truth_of("gap=real", seed=1)
    for name in CAMERAS:
        assert np.array_equal(first.cameras[name], again.cameras[name])
        assert not np.array_equal(first.cameras[name], other.cameras[name])
    assert not np.array_equal(first.cameras["wrist"], first.cameras["side"])
    drawn = [truth_of("gap=real", seed=seed) for seed in range(200)]
    assert 0.004 < max(np.abs(truth.cameras["side"][:3]).max() for truth in drawn) <= 0.005
    assert 0.0 <= min(truth.friction_nm.min() for truth in drawn) < 0.05 < 0.5 < max(t.friction_nm.max() for t in drawn)
    assert -0.15 <= min(truth.payload_kg for truth in drawn) < 0.0 < max(truth.payload_kg for truth in drawn) <= 0.15


def test_one_range_does_not_change_the_other_draws():
    assert np.array_equal(truth_of("gap=real").tool, truth_of("gap=real", "gap.hidden.camera_m=0").tool)


def test_it_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        truth_of("gap=real").tare_n[0] = 1.0


@pytest.mark.parametrize("name", CAMERAS)
def test_the_true_camera_is_the_nominal_one_moved_by_the_truth(name):
    nominal, true = make_arm(), make_arm("gap.hidden.camera_m=0.005", "gap.hidden.camera_rad=0.03")
    for arm in (nominal, true):
        arm.world.set_configuration(AT, 0.02)
    offset = true.world.hidden_truth.cameras[name]
    moved = frames.pose_relative(*(camera_in_base(arm.world.data, name) for arm in (nominal, true)))
    assert moved == pytest.approx(offset, abs=1e-6)
    assert np.linalg.norm(offset[:3]) > 1e-3


def test_workpieces_and_table_stand_elsewhere_and_the_stage_does_not_tell():
    arm = make_arm("gap.hidden.workspace_m=[0.003,0.003,0.001]", "gap.hidden.workspace_rad=0.01", goal=BALL)
    arm.place("goal", PLACE)
    arm.world.settle(0.01)
    moved = arm.world.hidden_truth.workspace
    assert arm.pose_of("goal") == pytest.approx(PLACE, abs=1e-6)
    assert arm.world.pose_of("goal") == pytest.approx(frames.pose_compose(moved, PLACE), abs=1e-6)
    assert np.linalg.norm(arm.world.pose_of("goal") - PLACE) > 1e-3
    nominal = make_arm(goal=BALL).world
    table, true_table = (world.data.geom("table").xpos for world in (nominal, arm.world))
    assert true_table - table == pytest.approx(frames.pose_compose(moved, frames.pose(table))[:3] - table, abs=1e-6)


def test_the_tool_sits_elsewhere_in_the_hand_and_the_tcp_does_not():
    nominal = make_arm(tool=PEG)
    true = make_arm("gap.hidden.tool_m=0.002", "gap.hidden.tool_rad=0.01", tool=PEG)
    found = []
    for arm in (nominal, true):
        arm.world.set_configuration(AT, 0.02)
        peg = arm.world.data.geom("peg")
        found.append(frames.pose(peg.xpos, frames.quat_from_matrix(peg.xmat.reshape(3, 3))))
    tcp = true.world.tcp_pose()
    assert tcp == pytest.approx(AT, abs=1e-5)
    in_tool = [frames.pose_relative(tcp, pose) for pose in found]
    expected = frames.pose_compose(true.world.hidden_truth.tool, in_tool[0])
    assert in_tool[1] == pytest.approx(expected, abs=1e-5)


def test_a_payload_sags_and_weighs():
    light, heavy = make_arm(), make_arm("gap.hidden.payload_kg=0.3")
    sag = []
    for arm in (light, heavy):
        state = arm.reset(AT[None], np.array([0.02]), lambda state: True)
        arm.world.settle(1.0)
        sag.append(arm.world.tcp_pose()[2] - AT[2])
        assert np.abs(state.wrench[0, :3]).max() < 4.0  # tared with the payload
    payload = heavy.world.hidden_truth.payload_kg
    assert sag[1] - sag[0] == pytest.approx(-9.81 * payload / 2000.0, rel=0.1)
    weights = [arm.world.tcp_wrench()[2] for arm in (light, heavy)]
    assert weights[1] - weights[0] == pytest.approx(9.81 * payload, rel=0.1)  # the tool's z axis points down


def test_the_tare_error_is_in_every_reading():
    choice = [f"robot.imperfections.{name}=0" for name in ("force_noise_n", "force_bias_n")]
    arm = make_arm("gap.hidden.tare_n=1.5", *choice)
    forces = []
    for episode in (0, 1):
        arm.begin(episode)
        forces.append(arm.reset(AT[None], np.array([0.02]), lambda state: True).wrench[0, :3])
    assert forces[0] == pytest.approx(arm.world.hidden_truth.tare_n, abs=1e-6)
    assert forces[1] == pytest.approx(forces[0], abs=1e-6)


def test_friction_leaves_an_error_at_rest():
    errors = []
    for choice in ((), ("gap.hidden.friction_nm=2.0",)):
        arm = make_arm(*choice)
        arm.world.set_configuration(AT, 0.02)
        target = AT.copy()
        target[0] += 0.005
        arm.world.set_target(target)
        arm.world.settle(2.0)
        errors.append(np.linalg.norm(arm.world.tcp_pose()[:3] - target[:3]))
    assert errors[0] < 1e-4 < 3e-4 < errors[1]


def test_damping_is_scattered_over_the_joints():
    arm = make_arm("gap.hidden.damping_share=0.3")
    assert arm.world.model.dof_damping[:7] == pytest.approx(0.5 * arm.world.hidden_truth.damping)
    assert np.ptp(arm.world.hidden_truth.damping) > 0.1
