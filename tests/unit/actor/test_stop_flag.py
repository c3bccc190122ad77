import os
import signal

import pytest

from steadyhand.actor import stop_flag
from steadyhand.actor.stop_flag import StopFlag


@pytest.fixture(autouse=True)
def usual_handlers():
    # A shell starts what it puts into the background with SIGINT ignored, and Python then leaves it so.
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, earlier)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_flag(number):
    stop = StopFlag()
    before = signal.getsignal(number)
    with stop.on_signals():
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
    assert signal.getsignal(number) is before


def test_the_same_wish_sent_twice_ends_nothing_half_way():
    stop = StopFlag()
    with stop.on_signals():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()


def test_a_second_wish_acts_as_usual(monkeypatch):
    monkeypatch.setattr(stop_flag, "SAME_WISH_NS", 0)
    stop = StopFlag()
    with stop.on_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_it_can_be_set_by_hand():
    stop = StopFlag()
    stop.set()
    assert stop()
