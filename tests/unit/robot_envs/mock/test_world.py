import mujoco
import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.mock.fr3 import FR3
from steadyhand.robot_envs.robot import RobotError
from tests.robot_kit import TOOL_DOWN, make_robot_env


@pytest.fixture
def world():
    return make_robot_env("task=peg_insert").robot.world


def test_forward_kinematics_is_that_of_the_published_parameters(world):
    # The flange at home, from the product of the seven Denavit-Hartenberg matrices (Craig), written out apart.
    dh = [
        (0, 0.333, 0),
        (0, 0, -np.pi / 2),
        (0, 0.316, np.pi / 2),
        (0.0825, 0, np.pi / 2),
        (-0.0825, 0.384, -np.pi / 2),
        (0, 0, np.pi / 2),
        (0.088, 0, np.pi / 2),
    ]
    pose = np.eye(4)
    for (a, d, alpha), theta in zip(dh, FR3.home_rad, strict=True):
        ca, sa, ct, st = np.cos(alpha), np.sin(alpha), np.cos(theta), np.sin(theta)
        pose = pose @ np.array(
            [[ct, -st, 0, a], [st * ca, ct * ca, -sa, -d * sa], [st * sa, ct * sa, ca, d * ca], [0, 0, 0, 1]]
        )
    tcp = pose @ np.array([0, 0, 0.107 + 0.1034, 1.0])
    assert world.tcp_pose()[:3] == pytest.approx(tcp[:3], abs=1e-6)


def test_joint_limits_are_the_published_ones(world):
    assert world.model.jnt_range[:7] == pytest.approx(np.array(FR3.limits_rad))


def test_controller_runs_at_500_hz_or_faster(world):
    assert world.model.opt.timestep <= 0.002


def test_stands_still_without_a_command(world):
    start = frames.pose([0.5, 0.0, 0.3], TOOL_DOWN)
    world.set_configuration(start, 0.02)
    world.settle(1.0)
    assert world.tcp_pose()[:3] == pytest.approx(start[:3], abs=1e-4)


def test_far_target_cannot_push_harder_than_the_reference_limit(world):
    gains = world.config.impedance
    bound = gains.stiffness_n_m * gains.reference_limit_m
    world.place("hole", frames.pose([0.5, 0.0, 0.1]))
    # Beside the hole, 5 mm above the block, with the target half a metre below it.
    start = frames.pose([0.53, 0.0, 0.135], TOOL_DOWN)
    world.set_configuration(start, 0.02)
    world.settle(0.1)
    tare = world.tcp_wrench()
    target = start.copy()
    target[2] -= 0.5
    world.set_target(target)
    world.settle(1.0)
    force = np.linalg.norm((world.tcp_wrench() - tare)[:3])
    assert 0.5 * bound < force < 1.15 * bound


def pressed_wrench(world, aside):
    """Tared wrench of a peg that starts `aside` of the hole along x and is pressed onto the block."""
    start = frames.pose([0.5 + aside, 0.0, 0.131], TOOL_DOWN)
    world.set_configuration(start, 0.02)
    tare = world.tcp_wrench()
    target = start.copy()
    target[2] -= 0.005
    world.set_target(target)
    world.settle(1.0)
    return world.tcp_wrench() - tare


def test_wrench_is_the_environment_on_the_tool_in_tool_axes(world):
    world.place("hole", frames.pose([0.5, 0.0, 0.1]))
    # The block pushes the tool up, and the tool's z axis points down.
    assert pressed_wrench(world, 0.03)[2] < -4.0


def test_rim_gives_a_torque_that_points_away_from_the_hole(world):
    world.place("hole", frames.pose([0.5, 0.0, 0.1]))
    torques = [pressed_wrench(world, aside)[4] for aside in (-0.002, 0.002)]
    assert torques[0] * torques[1] < 0.0
    assert min(abs(t) for t in torques) > 0.03


def test_scheduled_action_happens_at_its_time(world):
    seen = []
    world.after(0.02, lambda: seen.append(world.now_ns()))
    start = world.now_ns()
    world.advance_to(start + 100_000_000)
    assert seen == [start + 20_000_000]


def test_pose_out_of_reach_is_refused(world):
    with pytest.raises(RobotError, match="reach"):
        world.set_configuration(frames.pose([2.0, 0.0, 0.3], TOOL_DOWN), 0.02)


def test_realtime_pace_takes_as_long_as_it_says():
    env = make_robot_env("task=reach", "robot.world.pace=realtime")
    clock = env.clock
    start = clock.now_ns()
    clock.sleep_until(start + 100_000_000)
    assert clock.now_ns() >= start + 100_000_000
    assert env.robot.world.now_ns() >= 100_000_000
    assert not env.lockstep


@pytest.mark.parametrize("stiffness_n_m", [500.0, 3000.0])
def test_stiffness_can_be_changed_and_the_force_at_the_limit_goes_with_it(stiffness_n_m):
    world = make_robot_env("task=reach").robot.world
    reach = world.config.impedance.reference_limit_m
    world.set_impedance(stiffness_n_m, 150.0)
    start = world.tcp_pose()
    for error, expected_n in ((0.5 * reach, 0.5 * stiffness_n_m * reach), (5 * reach, stiffness_n_m * reach)):
        target = start.copy()
        target[0] += error
        world.set_target(target)
        mujoco.mj_forward(world.model, world.data)
        force = world.data.actuator_force[world.model.actuator("impedance0").id]
        assert abs(force) == pytest.approx(expected_n, rel=0.02)
