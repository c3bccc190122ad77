"""A leader in a person's hand, from its servos to the control loop."""

import math

import numpy as np
import pytest

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.leader import LeaderConfig
from steadyhand.robot_envs.devices.make import find_input, make_person
from steadyhand.robot_envs.devices.operator import HOLD
from steadyhand.robot_envs.frames import pose_relative, pose_to_vector
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.transport.record import Kind, Phase
from tests.leader_kit import (
    BUTTON,
    BUTTON_PRESSED,
    BUTTON_RELEASED,
    TRIGGER,
    TRIGGER_PRESSED,
    TRIGGER_RELEASED,
    Arm,
    Bus,
)
from tests.transport_kit import wait_until

pytest.importorskip("dynamixel_sdk", reason="needs dynamixel-sdk: pip install '.[leader]'")

pytestmark = pytest.mark.realtime

LEVER = f"[{{id: {BUTTON}, released_rad: {BUTTON_RELEASED}, pressed_rad: {BUTTON_PRESSED}}}]"
ENGAGE = (f"device.source.buttons={LEVER}", "device.buttons.engage=[0]")


def values(path, *overrides):
    # A busy machine may read late.
    own = ["device=leader", f"device.source.port={path}", "device.retry_s=0.02", "device.max_age_s=1.0"]
    return compose([*own, *overrides])["device"]


@pytest.fixture
def bus(tmp_path):
    config: LeaderConfig = find_input(values(tmp_path / "leader")).settings
    bus = Bus(tmp_path / "leader", Arm(DhChain(config.dh, config.tool)))
    yield bus
    if bus.path.is_symlink():
        bus.unplug()


@pytest.fixture
def person(bus):
    operators = []

    def person(*overrides):
        operators.append(make_person(values(bus.path, *overrides), 7))
        operator = operators[-1]
        wait_until(lambda: wish(operator) is None and operator.reading.neutral)
        return operator

    yield person
    for operator in operators:
        operator.close()


def wish(operator):
    return operator.act({}, {}, None)


def test_the_tool_moves_as_the_leaders_does(bus, person):
    operator = person()
    bus.arm.velocity[:] = [0.0, -0.04, 0.0, 0.0, 0.0, 0.0]
    wait_until(lambda: isinstance(wish(operator), np.ndarray) and wish(operator)[1] < -0.1)
    action = wish(operator)
    assert np.abs(action[[0, 2]]).max() < 0.25  # a servo's resolution is 0.1 of a step


def test_moving_the_uncoupled_leader_moves_nothing_and_coupling_does_not_jump(bus, person):
    operator = person(*ENGAGE)
    bus.arm.velocity[2] = 0.2
    for _ in range(50):
        assert wish(operator) is None
    bus.arm.velocity[:] = 0.0
    bus.arm.joints = bus.arm.joints + 0.3  # at once, as if it had been carried elsewhere
    before = bus.reads
    wait_until(lambda: bus.reads > before + 1)  # servos answer one by one: a read may be half before and half after
    bus.arm.levers[BUTTON] = BUTTON_PRESSED
    wait_until(lambda: isinstance(wish(operator), np.ndarray))
    actions = [wish(operator) for _ in range(200)]
    assert np.abs(actions)[:, :6].max() < 0.3  # resolution alone
    bus.arm.levers[BUTTON] = BUTTON_RELEASED
    wait_until(lambda: wish(operator) is None)


def test_engaged_before_the_episode_it_holds_until_it_was_let_go(bus, person):
    operator = person(*ENGAGE)
    bus.arm.levers[BUTTON] = BUTTON_PRESSED
    wait_until(lambda: isinstance(wish(operator), np.ndarray))
    operator.reset({})
    assert wish(operator) is HOLD
    bus.arm.levers[BUTTON] = BUTTON_RELEASED
    wait_until(lambda: wish(operator) is None and operator.reading.neutral)
    bus.arm.levers[BUTTON] = BUTTON_PRESSED
    wait_until(lambda: isinstance(wish(operator), np.ndarray))


def test_squeezing_closes_and_letting_go_opens(bus, person):
    operator = person()
    assert operator.reading.gripper[0] == 0.0  # a released trigger opens nothing by itself
    bus.arm.levers[TRIGGER] = TRIGGER_PRESSED
    wait_until(lambda: isinstance(wish(operator), np.ndarray) and wish(operator)[6] == -1.0)
    bus.arm.levers[TRIGGER] = TRIGGER_RELEASED
    wait_until(lambda: isinstance(wish(operator), np.ndarray) and wish(operator)[6] == 1.0)
    wait_until(lambda: wish(operator) is None)


def test_a_trigger_that_is_let_go_without_control_opens_nothing(bus, person):
    operator = person(*ENGAGE)
    bus.arm.levers |= {BUTTON: BUTTON_PRESSED, TRIGGER: TRIGGER_PRESSED}
    wait_until(lambda: isinstance(wish(operator), np.ndarray) and wish(operator)[6] == -1.0)
    bus.arm.levers[BUTTON] = BUTTON_RELEASED
    wait_until(lambda: wish(operator) is None)
    bus.arm.levers[TRIGGER] = TRIGGER_RELEASED
    for _ in range(50):
        assert wish(operator) is None
    bus.arm.levers[BUTTON] = BUTTON_PRESSED
    wait_until(lambda: isinstance(wish(operator), np.ndarray))
    assert wish(operator)[6] == 0.0


@pytest.mark.parametrize("way", ["unplugged", "power"])
def test_a_lost_leader_holds_until_it_was_at_rest_and_moved_again(bus, person, way):
    operator = person()
    bus.arm.velocity[0] = 0.05
    wait_until(lambda: isinstance(wish(operator), np.ndarray))
    if way == "unplugged":
        bus.unplug()
    else:
        bus.arm.silent = set(range(1, 9))
    wait_until(lambda: wish(operator) is HOLD and math.isinf(operator.reading.age_s))
    again = Bus(bus.path, bus.arm) if way == "unplugged" else bus
    bus.arm.silent = set()
    wait_until(lambda: not math.isinf(operator.reading.age_s) or wish(operator) is not HOLD)
    assert wish(operator) is HOLD
    bus.arm.velocity[:] = 0.0
    wait_until(lambda: wish(operator) is HOLD and operator.reading.neutral)
    bus.arm.velocity[0] = 0.05
    wait_until(lambda: isinstance(wish(operator), np.ndarray))
    if again is not bus:
        again.unplug()


def test_another_number_of_joints_is_refused(bus):
    fewer = [f"device.source.{name}" for name in ("ids=[1,2]", "signs=[1,1]", "offsets_rad=[0,0]")]
    with pytest.raises(DeviceError, match=r"leader: expected 7 joints, as device.dh has, found 2 from dynamixel"):
        make_person(values(bus.path, *fewer), 7)


def test_no_leader_is_refused(tmp_path):
    with pytest.raises(DeviceError, match=r"leader: .*nothing-here"):
        make_person(values(tmp_path / "nothing-here"), 7)


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("device.lag_steps=0.5", "lag_steps"),
        ("device.tool=[0,0,0]", "tool"),
        ("device.dh=[]", "dh"),
        ("device.still_m=0", "still_m"),
        ("device.source.misses=0", "device.source: misses"),
        ("device.source.entry_point=steadyhand.robot_envs.devices.udp:UdpJoystick", "derived from JointSource"),
    ],
)
def test_a_wrong_setting_is_refused(override, reason):
    with pytest.raises(ConfigError, match=reason):
        find_input(compose(["device=leader", override])["device"])


@pytest.mark.slow
def test_the_followers_tool_ends_where_the_leaders_did_from_where_both_began(bus, person):
    """The whole way in real time: servos, leader, operator, control loop, gate, simulated arm."""
    config = compose(["task=pick_place", "device=leader"])
    env, rows = make_env(config, 0), []
    chain, started = DhChain(config["device"]["dh"], config["device"]["tool"]), bus.arm.joints
    script = {5: [0.06, 0, 0, 0, 0, 0], 11: [0, -0.04, -0.03, 0, 0, 0], 17: [0, 0, 0, 0, 0, 0.25], 22: [0.0] * 6}

    def may_step():
        bus.arm.velocity[:] = script.get(len(rows), bus.arm.velocity)
        if len(rows) == 25:
            bus.arm.levers[TRIGGER] = TRIGGER_PRESSED
        return len(rows) < 40

    loop = ControlLoop(env, env_schema(env), lambda record: rows.append(record.copy()))
    selector = ActionSelector(person("device.lag_steps=10"), Arbiter(env.motion_entries, AT_ONCE, env.control_period_s))
    loop.run_episode(0, Phase.DEMO, selector, 0, may_step=may_step)
    env.close()
    led = pose_to_vector(pose_relative(chain.pose(started), chain.pose(bus.arm.joints)))
    steps = [row for row in rows if row["kind"] == Kind.STEP]
    followed = steps[-1]["observation/tcp_pose"]
    assert np.linalg.norm(led[:3]) > 0.03
    np.testing.assert_allclose(followed[:3], led[:3], atol=0.006)
    np.testing.assert_allclose(followed[3:], led[3:], atol=0.03)
    assert float(steps[-1]["action"][6]) == -1.0
