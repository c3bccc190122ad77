import pytest

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.make import held_by_person, make_device, make_person
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.make import make_corrector, make_demonstrator
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.robot_kit import make_robot_env

NOWHERE = {
    "spacemouse": "device.socket=/nowhere/spnav.sock",
    "gamepad": "device.path=/nowhere/js0",
    "keyboard": "device.terminal=/nowhere/tty",
}


@pytest.mark.parametrize("name", NOWHERE)
def test_every_device_of_a_person_is_made_from_its_file(name):
    values = compose([f"device={name}"])["device"]
    assert held_by_person(values)
    assert make_device(values) is not None


@pytest.mark.parametrize("name", ["scripted", "none"])
def test_a_stand_in_is_no_device(name):
    values = compose([f"device={name}"])["device"]
    assert not held_by_person(values)
    with pytest.raises(ConfigError, match="derived from Device"):
        make_device(values)


@pytest.mark.parametrize("name", NOWHERE)
def test_who_shows_and_who_corrects_is_the_same_person(name):
    config = compose([f"device={name}", "task=reach", NOWHERE[name]])
    env = make_robot_env(f"device={name}", "task=reach")
    for make in (make_demonstrator, make_corrector):
        with pytest.raises(DeviceError, match="/nowhere/"):
            make(config, env, 0)
    env.close()


def test_nobody_corrects_without_a_device():
    env = make_robot_env("device=none", "task=reach")
    assert isinstance(make_corrector(compose(["device=none", "task=reach"]), env, 0), NoOperator)
    env.close()


@pytest.mark.parametrize("size", [2, 8, 14])
def test_one_hand_drives_one_arm(size):
    with pytest.raises(ConfigError, match=f"found {size}"):
        make_person(compose(["device=keyboard"])["device"], size)


def test_a_wrong_key_is_refused_before_the_device_is_looked_for():
    with pytest.raises(ConfigError, match="speed"):
        make_person(compose(["device=keyboard"])["device"] | {"speed": 2}, 6)


def test_a_simulated_robot_keeps_the_pace_of_a_person():
    assert compose(["device=spacemouse"])["robot"]["world"]["pace"] == "realtime"
    assert compose(["device=scripted"])["robot"]["world"]["pace"] == "lockstep"
    assert compose(["device=none"])["robot"]["world"]["pace"] == "lockstep"
    own = compose(["device=spacemouse", "robot.world.pace=lockstep"])
    assert own["robot"]["world"]["pace"] == "lockstep"
