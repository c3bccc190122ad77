from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.runtime.clock import FakeClock

MAPPING = MappingConfig((0, 1, -1, -1, -1, -1), (1.0,) * 6, 100.0, 0.1, {"close": (0,), "resume": (0, 1)})


def test_axes_are_stamped_when_they_come():
    clock = FakeClock(5)
    handle = Handle(MAPPING, clock)
    clock.advance_ns(10)
    handle.move([1.0, 2.0])
    assert handle.state.axes == (1.0, 2.0)
    assert handle.state.stamp_ns == 15
    handle.press(0, True)
    assert handle.state.stamp_ns == 15


def test_one_axis_leaves_the_others():
    handle = Handle(MAPPING, FakeClock())
    handle.move([0.0, 0.0])
    handle.move_one(2, 3.0)
    handle.move_one(0, 1.0)
    assert handle.state.axes == (1.0, 0.0, 3.0)


def test_a_loss_forgets_what_was_said_and_is_counted():
    handle = Handle(MAPPING, FakeClock())
    handle.found()
    handle.move([1.0, 0.0])
    handle.press(0, True)
    handle.lose()
    handle.lose()
    assert handle.state == ((), frozenset(), False, 1, 0, None)
    handle.found()
    assert handle.state.present
    assert handle.state.axes == ()


def test_presses_are_handed_over_once_and_in_order():
    handle = Handle(MAPPING, FakeClock())
    handle.found()
    handle.press(0, True)
    handle.press(1, True)
    assert handle.take_events() == ("close", "resume")
    assert handle.take_events() == ()


def test_the_buttons_of_a_lost_device_mean_nothing():
    handle = Handle(MAPPING, FakeClock())
    handle.found()
    handle.lose()
    handle.press(0, True)
    assert not handle.state.present
    assert handle.state.held == frozenset()
    assert handle.take_events() == ()
