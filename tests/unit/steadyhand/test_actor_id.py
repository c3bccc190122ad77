import re
from pathlib import Path

import pytest

from steadyhand import configs
from steadyhand.actor_id import (
    actor_id,
    check_robot,
    claimed_actor,
    configured_actor_id,
    host_actor_id,
    identity_of,
)
from steadyhand.retention import claimed
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.runtime.run_lock import RunLockError
from steadyhand.transport import wire


@pytest.mark.parametrize(
    ("host", "name"),
    [("Lab-PC", "lab-pc"), ("MacBook.local", "macbook.local"), ("_x", "x"), ("Büro 3", "b-ro-3"), ("", "robot")],
)
def test_any_hosts_name_makes_an_actors_name_that_the_wire_takes(host, name):
    assert actor_id(host) == name


def test_this_machine_has_one():
    assert re.fullmatch(wire.ACTOR_ID, host_actor_id())


def composed(*overrides):
    return compose(["task=reach", *overrides])


def test_an_fr3_and_a_ur_have_different_identities():
    fr3, ur, mock = (identity_of(composed(f"robot={name}")) for name in ("crisp_fr3", "crisp_ur", "mock"))
    assert (fr3.robot, fr3.joints, fr3.tool, fr3.gripper) == ("fr3", 7, "fr3_hand_tcp", "gripper_joint")
    assert (ur.robot, ur.joints, ur.tool, ur.gripper) == ("ur", 6, "tool0", "none")
    assert fr3.robot_difference(ur)
    assert fr3.robot_difference(mock)
    assert fr3.task == "steadyhand.robot_envs.tasks.reach:Reach"


def test_the_mock_behind_ros_is_the_same_robot():
    assert not identity_of(composed("robot=mock")).robot_difference(identity_of(composed("robot=mock_ros")))


def test_every_robot_that_comes_with_the_product_has_a_name():
    for path in (Path(configs.__file__).parent / "robot").glob("*.yaml"):
        assert identity_of(composed(f"robot={path.stem}")).robot, path


def test_a_foreign_environment_has_a_task_and_no_robot():
    found = identity_of(compose(["task=gym", "task.entry_point=gymnasium:make", "task.arguments={id:Pendulum-v1}"]))
    assert (found.task, found.robot, found.joints) == ("gymnasium:make Pendulum-v1", "", 0)


def test_a_made_up_name_of_a_run_is_not_told(tmp_path):
    run = RunFolder(tmp_path, "reach-20250101-120000-abcd")
    assert identity_of(composed(), run).run_name == ""
    assert identity_of(composed("run_name=pegs"), RunFolder(tmp_path, "pegs")).run_name == "pegs"


def test_the_simulated_arms_are_told_apart():
    fr3, ur5e = (identity_of(composed(f"robot={name}")) for name in ("mock", "mock_ur5e"))
    assert fr3.robot_difference(ur5e) == "robot: expected mock_fr3, found mock_ur5e; joints: expected 7, found 6"


def test_a_name_that_is_too_long_is_one_line():
    with pytest.raises(ConfigError, match=r"shorten the name in robot, gripper or task\.entry_point"):
        identity_of(composed(f"robot.name={'x' * 65}"))


def test_a_policy_of_another_robot_is_refused_unless_it_is_accepted():
    trained = identity_of(composed("robot=crisp_fr3")).to_json()
    check_robot(trained, composed("robot=crisp_fr3"), "policy")
    check_robot({}, composed(), "policy of an earlier release")
    with pytest.raises(ConfigError, match=r"policy: trained on another robot \(robot: expected fr3, found mock_fr3"):
        check_robot(trained, composed(), "policy")
    check_robot(trained, composed("learner.accept_other_robot=true"), "policy")


def test_the_actor_is_called_as_the_configuration_says():
    assert configured_actor_id(composed()) == host_actor_id()
    assert configured_actor_id(composed("actor.id=left_2")) == "left_2"


def test_one_process_is_an_actor_at_a_time_and_others_work_beside_it(tmp_path):
    run = RunFolder(tmp_path, "pegs")
    with claimed_actor(run, "left") as folder, claimed_actor(run, "right"):
        assert folder.path == run.path / "actors" / "left"
        with pytest.raises(RunLockError, match=r"left.*no other actor.*another actor\.id"), claimed_actor(run, "left"):
            pass
        with pytest.raises(RunLockError, match="no other actor"), claimed(run):
            pass
    with claimed(run), pytest.raises(RunLockError, match="no other actor"), claimed_actor(run, "left"):
        pass
