"""Two real UDP joysticks as one device of two arms, in one operator's hands."""

import math

import numpy as np
import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.make import find_input, make_person
from steadyhand.robot_envs.devices.operator import HOLD
from steadyhand.robot_envs.devices.udp import UdpJoystick
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.spacenav_kit import Cap, Daemon, needs_spacenavd
from tests.transport_kit import wait_until
from tests.udp_kit import Sender, free_port

pytestmark = pytest.mark.realtime

CLOSE, RESUME = 0, 2
SIDES = ("left", "right")
BOTH_UDP = ["task=handover", "device=pair", "device@device.left=udp", "device@device.right=udp"]


def pair_values(ports):
    own = [f"device.{side}.port={port}" for side, port in zip(SIDES, ports, strict=True)]
    short = [f"device.{side}.{name}" for side in SIDES for name in ("silence_s=0.3", "retry_s=0.02")]
    return compose([*BOTH_UDP, *own, *short])["device"]


class Hands:
    """Two senders, one for each hand."""

    def __init__(self):
        self.ports = [free_port(), free_port()]
        self.senders = [None, None]

    def plug_in(self, hand):
        self.senders[hand] = Sender(self.ports[hand])

    def unplug(self, hand):
        if self.senders[hand] is not None:
            self.senders[hand].stop()
            self.senders[hand] = None

    def push(self, hand, value, axis=0):
        self.senders[hand].numbers[axis] = value


@pytest.fixture
def hands():
    hands = Hands()
    yield hands
    for hand in (0, 1):
        hands.unplug(hand)


class TestDevicePair(DeviceContract):
    max_age_s = 0.2

    @pytest.fixture(autouse=True)
    def around(self, hands):
        self.hands = hands

    def make_device(self):
        return find_input(pair_values(self.hands.ports)).make()

    def plug_in(self):
        for hand in (0, 1):
            self.hands.plug_in(hand)

    def unplug(self):
        for hand in (0, 1):
            self.hands.unplug(hand)

    def push(self):
        self.hands.push(0, 0.9)

    def let_go(self):
        self.hands.push(0, 0.0)

    def press_resume(self):
        self.hands.senders[1].press(RESUME)

    def test_each_device_moves_its_own_arm(self, device):
        self.hands.push(0, 0.9)
        self.hands.push(1, -0.9, axis=2)
        self.hands.senders[1].numbers[6 + CLOSE] = 1.0
        wait_until(lambda: device.poll().engaged.all() and device.poll().gripper[1] == -1.0)
        reading = device.poll()
        assert reading.twist[0, 0] > 0.1
        assert reading.twist[1, 2] < -0.1
        assert np.count_nonzero(reading.twist) == 2
        assert reading.gripper.tolist() == [0.0, -1.0]

    def test_each_device_is_told_where_its_own_tool_is(self, monkeypatch):
        told = []
        monkeypatch.setattr(UdpJoystick, "follow", lambda device, tool_poses: told.append(tool_poses.tolist()))
        self.make_device().follow(np.arange(14.0).reshape(2, 7))
        assert told == [[list(range(7))], [list(range(7, 14))]]

    def test_the_other_device_is_closed_when_one_is_missing(self):
        self.hands.plug_in(0)
        device = self.make_device()
        with pytest.raises(DeviceError, match=r"^right arm: udp: "):
            device.connect()
        with pytest.raises(DeviceError, match="connect"):
            device.poll()


@pytest.mark.parametrize("lost", [0, 1])
def test_both_arms_hold_when_one_device_is_lost(hands, lost):
    for hand in (0, 1):
        hands.plug_in(hand)
    operator = make_person(pair_values(hands.ports), 14, None)

    def wish():
        return operator.act({}, {}, None)

    wait_until(lambda: wish() is None and operator.reading.neutral)
    hands.push(1 - lost, 0.9)
    wait_until(lambda: isinstance(wish(), np.ndarray))
    action = wish()
    assert action.shape == (14,)
    assert not action.reshape(2, 7)[lost].any()
    hands.unplug(lost)
    wait_until(lambda: wish() is HOLD)
    assert math.isinf(operator.reading.age_s)
    hands.plug_in(lost)
    wait_until(lambda: operator.reading.age_s == 0.0 or wish() is not HOLD or not math.isinf(operator.reading.age_s))
    assert wish() is HOLD  # the other device was never let go
    hands.push(1 - lost, 0.0)
    wait_until(lambda: wish() is HOLD and operator.reading.neutral)
    hands.push(1 - lost, 0.9)
    wait_until(lambda: isinstance(wish(), np.ndarray))
    operator.close()


@pytest.mark.parametrize(("size", "found"), [(6, "found 6"), (7, "found 7")])
def test_two_devices_for_one_arm_are_refused(size, found):
    with pytest.raises(ConfigError, match=f"device=pair: expected a task for 2 arms, with 12 or 14 .*{found}"):
        make_person(pair_values([1, 2]), size, None)


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("device@device.right=spacemouse", r"expected two devices, found the same one twice \(socket /var/run/spnav"),
        ("device@device.right=web", "device.right: expected a device for one arm, .* found web"),
        ("device@device.left=scripted", "device.left.entry_point: expected a class derived from Device"),
        ("device.left.max_age_s=0", "device.left: max_age_s"),
    ],
)
def test_a_wrong_device_is_refused_by_the_name_of_its_arm(override, reason):
    with pytest.raises(ConfigError, match=reason):
        find_input(compose(["device=pair", override])["device"])


def test_one_device_by_two_names_is_refused(tmp_path):
    """The twins: other settings do not make it another device, and another socket does."""
    (tmp_path / "spnav.sock").touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "spnav.sock")
    mice = ["device=pair", "device@device.right=spacemouse", f"device.left.socket={tmp_path}/spnav.sock"]
    with pytest.raises(ConfigError, match="the same one twice"):
        find_input(compose([*mice, f"device.right.socket={link}", "device.right.max_age_s=0.2"])["device"])
    find_input(compose([*mice, f"device.right.socket={tmp_path}/other.sock"])["device"])


class CapHands:
    """Two caps, each with a spacenavd of its own."""

    def __init__(self, folder):
        self.daemons = [Daemon(folder / side) for side in SIDES]
        self.caps = [None, None]

    def values(self):
        own = [f"device.{side}.socket={d.socket}" for side, d in zip(SIDES, self.daemons, strict=True)]
        short = [f"device.{side}.retry_s=0.02" for side in SIDES]
        return compose(["task=handover", "device=pair", "device@device.right=spacemouse", *own, *short])["device"]

    def plug_in(self):
        for hand, daemon in enumerate(self.daemons):
            self.caps[hand] = Cap()
            daemon.start(self.caps[hand])

    def unplug(self, hand):
        self.daemons[hand].kill()
        if self.caps[hand] is not None:
            self.caps[hand].unplug()
            self.caps[hand] = None


@needs_spacenavd
class TestTwoSpaceMice(DeviceContract):
    max_age_s = 0.15

    @pytest.fixture(autouse=True)
    def around(self, tmp_path):
        self.hands = CapHands(tmp_path)
        yield
        self.unplug()

    def make_device(self):
        return find_input(self.hands.values()).make()

    def plug_in(self):
        self.hands.plug_in()

    def unplug(self):
        for hand in (0, 1):
            self.hands.unplug(hand)

    def push(self):
        self.hands.caps[0].push((0, 0, 300, 0, 0, 0))

    def let_go(self):
        self.hands.caps[0].let_go()

    def press_resume(self):
        self.hands.caps[1].buttons(0, 1)
        self.hands.caps[1].buttons()

    def test_each_cap_moves_its_own_arm_and_one_lost_daemon_holds_both(self, device):
        self.push()
        self.hands.caps[1].push((-300, 0, 0, 0, 0, 0))
        wait_until(lambda: device.poll().twist[0, 0] > 0.1 and device.poll().twist[1, 1] < -0.1)
        assert np.count_nonzero(device.poll().twist) == 2
        self.hands.unplug(1)
        wait_until(lambda: math.isinf(device.poll().age_s))
        assert not device.poll().engaged.any()
