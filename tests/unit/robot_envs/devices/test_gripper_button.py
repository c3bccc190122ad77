import numpy as np

from steadyhand.robot_envs.devices.gripper_button import GripperButton

STAYS, CLOSES, OPENS = 0.0, -1.0, 1.0


class Hand:
    """A button of two grippers, and a robot that does what it is told."""

    def __init__(self, press_steps, obeys=True):
        self.commanded, self.obeys = np.array([1.0, 0.0]), obeys
        self.button = GripperButton([1, 3], lambda: self.commanded, press_steps)

    def press(self, left, right):
        wanted = np.array([0.5, left, 0.5, right], np.float32)
        pressed = self.button.press(wanted, np.full(4, 0.2, np.float32))
        assert pressed[[0, 2]].tolist() == np.full(2, 0.2, np.float32).tolist()
        entries = pressed[[1, 3]].astype(float)
        if self.obeys:
            self.commanded = np.where(entries == 0.0, self.commanded, entries)
        return entries.tolist()


def test_a_state_that_is_there_already_needs_no_press():
    hand = Hand(2)
    assert hand.press(OPENS, STAYS) == [STAYS, STAYS]
    assert not hand.button.is_down


def test_an_unknown_state_needs_a_press_and_each_gripper_has_its_own():
    hand = Hand(2)
    assert [hand.press(CLOSES, OPENS) for _ in range(3)] == [[CLOSES, OPENS], [CLOSES, OPENS], [STAYS, STAYS]]


def test_the_other_button_is_pressed_at_once():
    hand = Hand(3)
    assert hand.press(CLOSES, STAYS)[0] == CLOSES
    assert [hand.press(OPENS, STAYS)[0] for _ in range(4)] == [OPENS, OPENS, OPENS, STAYS]


def test_a_press_without_effect_is_repeated():
    hand = Hand(2, obeys=False)
    assert [hand.press(CLOSES, STAYS)[0] for _ in range(5)] == [CLOSES] * 5


def test_a_released_button_is_up():
    hand = Hand(3)
    hand.press(CLOSES, STAYS)
    assert hand.button.is_down
    hand.button.reset()
    assert hand.press(CLOSES, STAYS)[0] == STAYS
