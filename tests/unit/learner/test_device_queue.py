import pytest
import torch

from steadyhand.learner.device_queue import DEPTH, DeviceQueue


@pytest.fixture
def events(monkeypatch):
    """What a CUDA device would be asked, in order."""
    asked = []

    class Event:
        made = 0

        def __init__(self, blocking):
            assert blocking  # a core that spins is one that nobody else has
            self.number, Event.made = Event.made, Event.made + 1

        def record(self, stream):
            asked.append(("record", self.number))

        def synchronize(self):
            asked.append(("wait", self.number))

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    return asked


def test_the_host_is_never_more_than_two_blocks_ahead(events):
    queue = DeviceQueue(torch.device("cuda"))
    for _ in range(5):
        queue.wait()
    waited = [number for what, number in events if what == "wait"]
    assert waited == list(range(5 - DEPTH))
    assert events[:4] == [("record", 0), ("record", 1), ("record", 2), ("wait", 0)]


def test_other_devices_have_nothing_to_wait_for(events):
    queue = DeviceQueue(torch.device("cpu"))
    for _ in range(5):
        queue.wait()
    assert events == []
