"""Joint-space homing over real DDS: real types, the watchdog in a process of its own, the robot as the actor has it."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from homing_bench import AWAY, HOME, START, Bench
from rclpy.action import ActionClient
from ros_kit import PACKAGE, ROOT, wait_until
from stub_joint_arm import CARTESIAN, M_PER_RAD, OFFSET, TRAJECTORY

from actor_ros import homing as homing_module
from actor_ros.homing import Homing
from actor_ros.parameters import robot_config
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.homing_watch import HomingWatch, require_joint_limits
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose

PERIOD_S = 0.1


@pytest.fixture(scope="module")
def module_bench(dds, interfaces, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("homing"))
    yield bench
    bench.close()


@pytest.fixture
def bench(module_bench):
    bench, arm = module_bench, module_bench.arm
    bench.allowed, arm.push_n, arm.abort_reason = True, 0.0, ""
    arm.loaded, arm.active = {CARTESIAN, TRAJECTORY}, {CARTESIAN}
    bench.put(AWAY)
    arm.switches, arm.trajectories, arm.cancels, arm.largest_step_rad = [], [], 0, 0.0
    bench.homing._is_away, bench.homing._episodes = True, 0
    return bench


def test_a_reset_brings_the_joints_home_and_then_the_tool_to_its_start(bench):
    state = bench.reset()
    arm = bench.arm
    assert arm.switches == [([TRAJECTORY], [CARTESIAN]), ([CARTESIAN], [TRAJECTORY])]
    assert arm.active == {CARTESIAN}
    assert state.joint_position[0, 3:] == pytest.approx(HOME[3:], abs=1e-6), "the posture is the home position's"
    assert state.tcp_pose[0, :3] == pytest.approx(START[0, :3], abs=2e-3)
    assert arm.pull_at_activation_m < 1e-3, "the Cartesian controller starts where the arm is"
    (trajectory,) = arm.trajectories
    velocities = np.array([point.velocities for point in trajectory.points])
    accelerations = np.array([point.accelerations for point in trajectory.points])
    assert np.abs(velocities).max() <= 1.0 + 1e-9
    assert np.abs(accelerations).max() <= 0.5 + 1e-9
    assert bench.watchdog.is_running()


def test_without_the_measured_pose_as_target_the_controller_would_pull(bench, monkeypatch):
    """The twin: an old target is what the controller follows when it is activated."""
    monkeypatch.setattr(bench.homing, "_seed_s", lambda: 0.0)
    monkeypatch.setattr(bench.link, "command", lambda target, measured: None)
    old = bench.arm.tool()
    bench.arm.is_deaf = True
    switch_back = bench.homing._switch_back

    def with_an_old_target(*given):
        bench.arm._target, bench.arm._flagged = old, True
        return switch_back(*given)

    monkeypatch.setattr(bench.homing, "_switch_back", with_an_old_target)
    monkeypatch.setattr(bench.homing, "_is_home", lambda position: False)
    with pytest.raises(RobotError):
        bench.go()
    assert bench.arm.pull_at_activation_m > 0.03


def test_an_arm_at_home_is_left_alone_and_others_come_home_when_it_is_due(bench, monkeypatch):
    assert bench.go()
    assert len(bench.arm.trajectories) == 1
    assert bench.go(), "at home"
    assert len(bench.arm.trajectories) == 1
    monkeypatch.setattr(bench.homing, "_profile", replace(bench.homing._profile, every_episodes=2))
    bench.put(HOME + 0.2)
    bench.homing._episodes = 1
    assert bench.go(), "not due"
    assert len(bench.arm.trajectories) == 1
    assert bench.go(), "due"
    assert len(bench.arm.trajectories) == 2


def test_nothing_moves_or_switches_without_permission(bench):
    bench.allowed = False
    before = bench.arm.position.copy()
    bench.reset()
    assert not bench.go()
    assert bench.arm.switches == bench.arm.trajectories == []
    assert (bench.arm.position == before).all()


def test_a_stop_cancels_the_motion_and_the_next_reset_goes_on(bench):
    bench.later(bench.is_under_way, lambda: setattr(bench, "allowed", False))
    bench.reset()
    assert bench.arm.cancels == 1
    assert bench.arm.active == {CARTESIAN}
    stopped = bench.arm.position.copy()
    assert np.abs(stopped - HOME).max() > 0.1, "it was on its way"
    time.sleep(0.5)
    assert bench.arm.position == pytest.approx(stopped, abs=1e-4)
    assert bench.arm.pull_at_activation_m < 1e-3
    bench.allowed = True
    state = bench.reset()
    assert state.joint_position[0, 3:] == pytest.approx(HOME[3:], abs=1e-6)


def test_an_arm_that_was_left_with_the_other_controller_gets_its_own_back(bench):
    bench.put(HOME)
    bench.arm.active = {TRAJECTORY}
    assert bench.go()
    assert bench.arm.active == {CARTESIAN}
    assert bench.arm.trajectories == []
    assert bench.arm.pull_at_activation_m < 1e-3


def test_a_force_on_the_way_stops_it_in_one_line(bench):
    bench.later(bench.is_under_way, lambda: setattr(bench.arm, "push_n", 150.0))
    with pytest.raises(RobotError, match="homing: stopped, force_limit; look what is in the arm's way") as raised:
        bench.reset()
    assert "\n" not in str(raised.value)
    assert bench.arm.cancels == 1
    assert bench.arm.active == {CARTESIAN}
    assert np.abs(bench.arm.position - HOME).max() > 0.1


def test_a_way_out_of_the_workspace_stops_it(bench):
    bench.homing._home = HOME - np.array([3.0, 0, 0, 0, 0, 0, 0])
    try:
        with pytest.raises(RobotError, match=r"outside the workspace; correct homing\.position_rad"):
            bench.go()
    finally:
        bench.homing._home = HOME
    assert bench.arm.cancels == 1
    assert OFFSET[0] + M_PER_RAD * bench.arm.position[0] > 0.26, "it stopped soon; the box begins at 0.3"


def test_a_tool_that_is_too_fast_stops_it(bench, monkeypatch):
    monkeypatch.setattr(bench.homing, "_limits", replace(bench.limits, max_tcp_speed_m_s=0.01))
    with pytest.raises(RobotError, match=r"expected a tool speed of at most 0.01 m/s, found .*; lower homing"):
        bench.go()
    assert bench.arm.cancels == 1


def test_a_controller_that_is_not_loaded_is_named_and_the_arm_is_left_as_it_was(bench):
    bench.arm.loaded = {CARTESIAN}
    with pytest.raises(RobotError, match=f"expected the controller {TRAJECTORY} active, found not loaded"):
        bench.reset()
    assert bench.arm.active == {CARTESIAN}
    assert bench.arm.trajectories == []


def test_a_trajectory_that_the_controller_aborts_is_one_line_with_its_reason(bench):
    bench.later(
        bench.is_under_way, lambda: setattr(bench.arm, "abort_reason", "Aborted due to path tolerance violation")
    )
    with pytest.raises(RobotError, match="was aborted: Aborted due to path tolerance violation"):
        bench.reset()
    assert bench.arm.active == {CARTESIAN}


def test_an_action_that_is_not_served_is_one_line(bench, monkeypatch):
    monkeypatch.setattr(homing_module, "_CALL_S", 0.5)
    nothing = ActionClient(bench.probe.node, bench.homing._follow_type, "nothing/here")
    bench.kept = nothing  # rclpy must not destroy it while the node is spun
    monkeypatch.setattr(bench.homing, "_action", nothing)
    monkeypatch.setattr(bench.homing, "_profile", replace(bench.homing._profile, action="nothing/here"))
    with pytest.raises(RobotError, match="action nothing/here: no server"):
        bench.go()
    assert bench.arm.active == {CARTESIAN}


def test_the_watchdog_cancels_the_trajectory_of_an_actor_that_has_died(bench, monkeypatch):
    class DeadError(RuntimeError):
        """What ends the loop as a kill would: nothing is cancelled by it."""

    def die(self, state, now_ns):
        if bench.is_under_way():
            raise DeadError

    monkeypatch.setattr(homing_module.RunningGoal, "end", lambda self, timeout_s: None)
    monkeypatch.setattr(HomingWatch, "require_limits", die)
    monkeypatch.setattr(Homing, "_switch_back", lambda self: None)
    say = bench.link.homing
    monkeypatch.setattr(bench.link, "homing", lambda is_under_way: say(True) if is_under_way else None)
    with pytest.raises(DeadError):
        bench.go()
    wait_until(lambda: bench.arm.cancels == 1, "a cancelled trajectory", 5.0)
    assert np.abs(bench.arm.position - HOME).max() > 0.1, "the arm was stopped on its way"
    assert "its trajectory is cancelled" in bench.watchdog.output()
    say(False)


@pytest.mark.parametrize("package", ["control_msgs", "controller_manager_msgs"])
def test_a_package_that_is_not_installed_is_named(interfaces, package):
    """In a process of its own: a message that arrives is converted by the modules that are blocked here."""
    code = f"""
import sys
sys.modules[{package!r}] = None
from actor_ros import homing
try:
    homing._import_types()
except ImportError as error:
    print(error)
"""
    environment = {name: value for name, value in os.environ.items() if name != "ROS_DISTRO"}
    path = os.pathsep.join([str(PACKAGE), str(ROOT), environment["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    apt = f"ros-jazzy-{package.replace('_', '-')}"
    expected = f"homing needs the package {package}, which is not installed; sudo apt-get install {apt}\n"
    assert done.stdout == f"robot.profile.{expected}", done.stderr


def test_a_profile_that_takes_none_says_so():
    config = compose(["robot=mock_ros", "homing=crisp_fr3", "robot.profile.homing=null"])
    with pytest.raises(ConfigError, match=r"homing: the robot's profile takes none; write homing: \$\{homing\}"):
        robot_config(config)
    assert robot_config(compose(["robot=ur_servo", "homing=ur_servo"])).profile.homing is not None
    with pytest.raises(ConfigError, match=r"homing\.position_rad: expected 7 numbers, one for each joint, found 6"):
        robot_config(compose(["robot=mock_ros", "homing=ur_servo"]))


def test_a_pose_that_homing_would_silence_is_refused():
    words = ["robot=ur_fzi", "homing=ur_servo", "homing.deactivate=[cartesian_compliance_controller]"]
    with pytest.raises(ConfigError, match="which that controller publishes"):
        robot_config(compose(words))


@pytest.mark.parametrize("name", ["crisp_fr3", "crisp_ur", "ur_servo"])
def test_every_home_position_fits_its_robot(name):
    config = compose([f"robot={name}", f"homing={name}"])
    profile, limits = robot_config(config).profile, build(SafetyLimits, config["safety"])
    home, rates = np.array(profile.homing.position_rad), homing_module.rates_of(profile.homing)
    assert limits.joints is not None
    require_joint_limits(home, rates, limits.joints)
    for away in (home + 9.0, home - 9.0):
        with pytest.raises(ConfigError, match=r"homing\.position_rad: expected joint 1 in its range"):
            require_joint_limits(away, rates, limits.joints)
    with pytest.raises(ConfigError, match="expected a joints' speed of at most"):
        require_joint_limits(home, replace(rates, speed=99.0), limits.joints)
