"""Faults of a SpaceMouse over HID, with the real pyspacemouse above emulated devices."""

import math
import os
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.devices import spacemouse_hid
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.robot_envs.devices.spacemouse_hid import SpaceMouseHid
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.hid_kit import Keyboard, Mouse, WirelessMouse, hidapi
from tests.transport_kit import wait_until

__all__ = ["hidapi"]

pytestmark = pytest.mark.realtime

# Raw axes of spacenavd from those of HID: def_axmap and def_axinv in its src/cfgfile.c (at 01340da, lines 30 and 31).
SPACENAVD_AXIS, SPACENAVD_TURNED = (0, 2, 1, 3, 5, 4), (0, 1, 1, 0, 1, 1)
FULL = 350


def settings(*overrides):
    return find_input(compose(["device=spacemouse_hid", *overrides])["device"]).settings


def make(*overrides):
    return SpaceMouseHid(replace(settings(*overrides), retry_s=0.02))


@pytest.fixture
def plug(hidapi):
    def plug(model=Mouse, path="/dev/hidraw0"):
        hidapi.plugged.append(model(path))
        return hidapi.plugged[-1]

    return plug


@pytest.fixture
def opened():
    devices = []

    def open_(*overrides):
        devices.append(make(*overrides))
        devices[-1].connect()
        return devices[-1]

    yield open_
    for device in devices:
        device.close()


@pytest.mark.parametrize("model", [Mouse, WirelessMouse])
def test_every_axis_arrives_where_the_mapping_says(plug, opened, model):
    mouse = plug(model)
    device = opened()
    mouse.push(350, -350, 175, 0, 100, -350)
    half = (0.5 - 0.08) / 0.92
    turned = -(100 / 350 - 0.08) / 0.92
    expected = [1.0, 1.0, half, turned, 0.0, -1.0]
    wait_until(lambda: np.allclose(device.poll().twist[0], expected, atol=1e-6))


def test_a_cap_means_the_same_over_hid_and_through_spacenavd():
    hid, daemon = settings().mapping, find_input(compose(["device=spacemouse"])["device"]).settings.mapping
    rng = np.random.default_rng(0)
    for axes in rng.integers(-FULL, FULL + 1, (50, 6)):
        raw = np.zeros(6)
        for axis, value in enumerate(axes):
            target = SPACENAVD_AXIS[axis]
            raw[target] = -value if SPACENAVD_TURNED[target] else value
        np.testing.assert_allclose(hid.twist(axes / FULL), daemon.twist(raw), atol=1e-9)


@pytest.mark.parametrize("model", [Mouse, WirelessMouse])
def test_buttons_drive_the_gripper(plug, opened, model):
    mouse = plug(model)
    device = opened()
    for button, wish in ((0, -1.0), (1, 1.0)):
        mouse.buttons(button)
        wait_until(lambda wish=wish: device.poll().gripper[0] == wish)
        mouse.buttons()
        wait_until(lambda: not device.poll().engaged[0])


def test_an_evenly_pressed_cap_stays_young(plug, opened):
    """The device repeats equal reports, which spacenavd drops."""
    mouse = plug()
    device = opened()
    mouse.push(0, -300, 0, 0, 0, 0)
    wait_until(lambda: device.poll().engaged[0])
    ages = []
    for _ in range(60):
        threading.Event().wait(0.01)
        ages.append(device.poll().age_s)
    assert np.median(ages) < 0.05


def test_a_wireless_mouse_out_of_range_grows_old_and_its_battery_is_no_sign_of_life(plug, opened):
    mouse = plug(WirelessMouse)
    device = opened()
    mouse.push(0, -300, 0, 0, 0, 0)
    wait_until(lambda: device.poll().engaged[0])
    mouse.is_in_range = False

    def is_old():
        mouse.report_battery()
        return device.poll().age_s > 0.3

    wait_until(is_old)
    assert device.poll().engaged[0]  # the operator holds, as the reading is older than max_age_s
    mouse.is_in_range = True
    wait_until(lambda: device.poll().age_s < 0.1)


def test_the_mouse_is_found_again_under_another_number(plug, opened):
    mouse = plug()
    device = opened()
    mouse.unplug()
    wait_until(lambda: math.isinf(device.poll().age_s))
    again = plug(path="/dev/hidraw7")
    wait_until(lambda: device.poll().age_s == 0.0)
    again.push(0, -300, 0, 0, 0, 0)
    wait_until(lambda: device.poll().engaged[0])


def test_the_keyboard_of_a_receiver_is_no_mouse(plug, opened):
    plug(Keyboard, "/dev/hidraw0")
    mouse = plug(path="/dev/hidraw1")
    device = opened()
    mouse.push(0, -300, 0, 0, 0, 0)
    wait_until(lambda: device.poll().engaged[0])


def test_of_two_mice_one_has_to_be_named(plug, opened, tmp_path):
    plug(path=str(tmp_path / "hidraw0"))
    second = plug(path=str(tmp_path / "hidraw1"))
    with pytest.raises(DeviceError, match=r"^spacemouse_hid: expected one SpaceMouse, found .*hidraw0 \(SpaceMouseCom"):
        make().connect()
    link = tmp_path / "right-hand"
    link.symlink_to(tmp_path / "hidraw1")
    device = opened(f"device.path={link}")
    second.push(0, -300, 0, 0, 0, 0)
    wait_until(lambda: device.poll().engaged[0])


def test_a_mouse_is_not_opened_for_both_arms(plug, opened, monkeypatch):
    plug()
    opened()
    other = make("device.path=/dev/hidraw0")
    with pytest.raises(DeviceError, match="expected a SpaceMouse for each arm, found one for both"):
        other.connect()
    with monkeypatch.context() as context:
        context.setattr(spacemouse_hid, "_opened", set())  # without the check both arms would follow one cap
        other.connect()
        other.close()


def test_no_mouse_is_refused_with_what_to_do(hidapi):
    with pytest.raises(DeviceError, match=r"^spacemouse_hid: expected a SpaceMouse, found none; plug it in"):
        make().connect()
    with pytest.raises(DeviceError, match=r"expected a SpaceMouse at /dev/nothing, found none"):
        make("device.path=/dev/nothing").connect()


def test_a_missing_udev_rule_is_named(hidapi, plug, monkeypatch, tmp_path):
    path = tmp_path / "hidraw0"
    path.touch()
    plug(path=str(path))
    hidapi.refused.add(str(path))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DeviceError, match=r"add the udev rule KERNEL==\"hidraw\*\".*plug it in again$") as raised:
        make().connect()
    assert "\n" not in str(raised.value)
    monkeypatch.setattr(os, "access", lambda path, mode: True)  # permitted, but another program has it for itself
    with pytest.raises(DeviceError, match=r"found Failed to open device; plug it in again$"):
        make().connect()


@pytest.mark.parametrize("name", ["pyspacemouse", "easyhid"])
def test_a_missing_package_is_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DeviceError, match=rf"pyspacemouse, found none \({name}\); pip install '\.\[spacemouse-hid\]'"):
        make().connect()


def test_a_missing_hidapi_is_named(monkeypatch):
    from easyhid import easyhid

    # As easyhid stands where hidapi is not installed: the handle of this program, which has none of its functions.
    monkeypatch.setattr(easyhid, "hidapi", easyhid.ffi.dlopen(None))
    with pytest.raises(DeviceError, match=r"expected the library libhidapi-hidraw, found none; sudo apt-get install"):
        make().connect()


def test_a_button_that_the_model_lacks_is_refused(plug):
    plug()
    with pytest.raises(DeviceError, match=r"SpaceMouseCompact: expected button 5 .*, found 0 LEFT, 1 RIGHT"):
        make("device.mapping.buttons.open=[5]").connect()


@pytest.mark.parametrize("override", ["device.mapping.axes=[0,1,2,3,4,6]", "device.neutral_s=0", "device.retry_s=0"])
def test_a_wrong_setting_is_refused(override):
    with pytest.raises(ConfigError):
        settings(override)
