from steadyhand.robot_envs.devices.chords import Chords

BUTTONS = {"close": (0,), "open": (1,), "resume": (0, 1)}


def test_a_button_means_something_while_it_is_down():
    chords = Chords(BUTTONS)
    assert chords.press(0) == ("close",)
    assert chords.held == {"close"}
    chords.release(0)
    assert chords.held == frozenset()
    assert chords.press(0) == ("close",)


def test_two_together_do_not_mean_what_each_means_alone():
    chords = Chords(BUTTONS)
    chords.press(1)
    assert chords.press(0) == ("resume",)
    assert chords.held == {"resume"}


def test_letting_go_of_two_is_not_pressing_the_second():
    chords = Chords(BUTTONS)
    chords.press(0)
    chords.press(1)
    chords.release(0)
    assert chords.held == frozenset()
    assert chords.press(0) == ("resume",)


def test_a_button_without_a_meaning_changes_nothing():
    chords = Chords(BUTTONS)
    chords.press(0)
    assert chords.press(7) == ()
    assert chords.held == {"close"}


def test_a_loss_lets_go_of_everything():
    chords = Chords(BUTTONS)
    chords.press(0)
    chords.clear()
    assert chords.held == frozenset()
    assert chords.press(1) == ("open",)
