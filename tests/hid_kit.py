"""Emulated SpaceMice underneath easyhid: hidapi's functions, and the bytes that the real devices send.

The reports are those of captures: https://github.com/AndunHH/spacemouse, SpaceNavigator.md at 00b5057 (reports 1, 2 and
3, alternating 8 ms apart; three pairs of zeros at the end) and SpaceMouseWireless.md at 51c7ff3 (one report of twelve
bytes every 16 ms, report 0x17 for the battery). The Compact (256f:c635) sends those of the SpaceNavigator, as in
devices.toml of pyspacemouse 2.1.0. Functions and struct are those of easyhid 0.0.10 (easyhid/easyhid.py, lines
14 to 48); hid_read_timeout returns -1 when the device is gone (hidapi/hidapi.h).
"""

from __future__ import annotations

import struct
import threading
from collections import deque

import pytest

pytest.importorskip("pyspacemouse", reason="needs pyspacemouse: pip install '.[spacemouse-hid]'")

from easyhid import easyhid

ffi = easyhid.ffi
AT_REST = (0,) * 6
PAIRS_AT_END = 3
MULTI_AXIS, KEYBOARD = (1, 8), (1, 6)  # usage page and usage


class Mouse:
    """A SpaceMouse Compact. Axes: right, towards the person, down, then the rotation about them."""

    vendor, product = 0x256F, 0xC635
    period_s = 0.008

    def __init__(self, path: str) -> None:
        self.path, self.is_open = path, 0
        self._readers: list[deque[bytes]] = []
        self._news = threading.Condition()
        self._axes, self._left = AT_REST, 0
        self.is_plugged, self.is_in_range = True, True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def reports(self, axes):
        return [b"\x01" + struct.pack("<3h", *axes[:3]), b"\x02" + struct.pack("<3h", *axes[3:])]

    def push(self, *axes):
        """Push the cap and keep it exactly there."""
        self._axes, self._left = tuple(axes), PAIRS_AT_END

    def let_go(self):
        self._axes = AT_REST

    def buttons(self, *down):
        """Press exactly these buttons."""
        self.send(b"\x03" + sum(1 << button for button in down).to_bytes(2, "little"))

    def send(self, report):
        with self._news:
            for queue in self._readers:
                queue.append(report)
            self._news.notify_all()

    def unplug(self):
        with self._news:
            self.is_plugged = False
            self._news.notify_all()
        self._thread.join()

    def open(self):
        queue = deque()
        self._readers.append(queue)
        return self, queue

    def read(self, queue, timeout_s):
        with self._news:
            self._news.wait_for(lambda: queue or not self.is_plugged, timeout_s)
            if not self.is_plugged:
                return None
            return queue.popleft() if queue else b""

    def close(self, queue):
        self._readers.remove(queue)

    def _run(self):
        while self.is_plugged:
            if (self._axes != AT_REST or self._left > 0) and self.is_in_range:
                self._left = PAIRS_AT_END if self._axes != AT_REST else self._left - 1
                for report in self.reports(self._axes):
                    self.send(report)
                    threading.Event().wait(self.period_s)
            else:
                threading.Event().wait(self.period_s)


class WirelessMouse(Mouse):
    """A SpaceMouse Wireless on its cable or its receiver."""

    product = 0xC62E
    period_s = 0.016

    def reports(self, axes):
        return [b"\x01" + struct.pack("<6h", *axes)]

    def report_battery(self):
        self.send(b"\x17\x64\x00")


class Keyboard(Mouse):
    """The keyboard of a SpaceMouse's receiver: the same numbers, another usage."""

    usage = KEYBOARD


class Hidapi:
    """hidapi's functions, as easyhid calls them."""

    def __init__(self) -> None:
        self.plugged: list[Mouse] = []
        self.refused: set[str] = set()  # paths that may not be opened
        self._kept = []  # memory of the newest list

    def hid_enumerate(self, vendor, product):
        self._kept, first = [], ffi.NULL
        for mouse in reversed([mouse for mouse in self.plugged if mouse.is_plugged]):
            info, path = ffi.new("struct hid_device_info*"), ffi.new("char[]", mouse.path.encode())
            info.path, info.vendor_id, info.product_id, info.next = path, mouse.vendor, mouse.product, first
            info.usage_page, info.usage = getattr(mouse, "usage", MULTI_AXIS)
            self._kept += [info, path]
            first = info
        return first

    def hid_free_enumeration(self, first):
        """Free nothing: the list goes with the next one."""

    def hid_open_path(self, path):
        for mouse in self.plugged:
            if mouse.is_plugged and mouse.path == path.decode() and mouse.path not in self.refused:
                return mouse.open()
        return ffi.NULL

    def hid_read_timeout(self, device, data, size, timeout_ms):
        mouse, queue = device
        report = mouse.read(queue, timeout_ms / 1e3)
        if report is None:
            return -1
        report = report[:size]
        ffi.memmove(data, report, len(report))
        return len(report)

    def hid_close(self, device):
        mouse, queue = device
        mouse.close(queue)


@pytest.fixture
def hidapi(monkeypatch):
    """hidapi without any device; append to `plugged` what is plugged in."""
    fake = Hidapi()
    monkeypatch.setattr(easyhid, "hidapi", fake)
    yield fake
    for mouse in fake.plugged:
        mouse.unplug()
