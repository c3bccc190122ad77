import socket
import struct
import threading

import numpy as np
import pytest

from steadyhand.calibrate import device
from steadyhand.calibration.nudge import NUDGES
from steadyhand.cli import main
from steadyhand.robot_envs.devices.make import find_input, make_device
from steadyhand.runtime.config import compose
from tests.cell_kit import collected, nothing_in, only_calibration, only_file
from tests.spacenav_kit import Cap, Daemon, needs_spacenavd
from tests.transport_kit import wait_until

# The axes of the joystick in the test, and how each is turned round: not those of its YAML file.
TRUE_AXES, TRUE_SIGNS = (3, 1, 0, 5, 2, 4), (1, -1, 1, -1, 1, 1)
FAST = ["calibrate.rest_s=0.2", "calibrate.timeout_s=10"]


class Joystick:
    """A joystick over UDP in a person's hand, which sends its state all the time."""

    def __init__(self, port: int) -> None:
        self.axes = [0.0] * 6
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._port, self._ending = port, threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def push(self, twist) -> None:
        """Deflect the axis behind a twist of the tool."""
        axes = [0.0] * 6
        for entry, value in enumerate(twist):
            axes[TRUE_AXES[entry]] += 0.9 * value * TRUE_SIGNS[entry]
        self.axes = axes

    def close(self) -> None:
        self._ending.set()
        self._thread.join(5)
        self._socket.close()

    def _send(self) -> None:
        while not self._ending.wait(0.005):
            self._socket.sendto(struct.pack("<10f", *self.axes, *[0.0] * 4), ("127.0.0.1", self._port))


@pytest.fixture
def joystick():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Joystick(port)
    found.words = ["device=udp", f"device.port={port}"]
    yield found
    found.close()


def answering(monkeypatch, push, rest) -> list[str]:
    """Let an operator do what the step asks for, as soon as it asks."""
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("nudge it "):
            name = line.removeprefix("nudge it ").removesuffix(", and let go")

            def nudge() -> None:
                push(name)
                threading.Event().wait(0.15)
                rest()

            threading.Thread(target=nudge, daemon=True).start()

    monkeypatch.setattr(device, "say", say)
    return lines


def twist_of(name: str) -> np.ndarray:
    entry, sign = NUDGES[name]
    return sign * np.eye(6)[entry]


@pytest.mark.slow
@pytest.mark.realtime
def test_after_six_nudges_the_device_moves_the_tool_as_it_is_pushed(tmp_path, joystick, monkeypatch):
    answering(monkeypatch, lambda name: joystick.push(twist_of(name)), lambda: joystick.push(np.zeros(6)))
    assert main(["calibrate", "device", "--out", str(tmp_path / "out"), *joystick.words, *FAST]) == 0
    found = only_calibration(tmp_path / "out")
    assert found.sets["device.mapping.axes"] == list(TRUE_AXES)
    assert np.sign(found.sets["device.mapping.scale"]).tolist() == list(TRUE_SIGNS)
    config = compose([*joystick.words, f"calibration.files=[{only_file(tmp_path / 'out')}]"])
    used = make_device(config["device"])
    used.connect()
    for name in NUDGES:
        wanted = twist_of(name)
        joystick.push(wanted)
        wait_until(lambda wanted=wanted: np.sign(used.poll().twist[0]).tolist() == wanted.tolist(), 5)
    used.close()


@needs_spacenavd
@pytest.mark.slow
@pytest.mark.realtime
def test_three_nudges_of_a_spacemouse_through_its_real_daemon(tmp_path, monkeypatch):
    daemon, cap = Daemon(tmp_path / "daemon"), Cap()
    daemon.start(cap)
    raw = {"right": (300, 0, 0, 0, 0, 0), "up": (0, 300, 0, 0, 0, 0), "turn left": (0, 0, 0, 0, 300, 0)}
    answering(monkeypatch, lambda name: cap.push(raw[name]), cap.let_go)
    words = ["device=spacemouse", f"device.socket={daemon.socket}", "calibrate.nudges=[right,up,turn left]", *FAST]
    # Turned round on purpose; right, up and turn left are y, z and the turn about z.
    wrong = ["device.mapping.scale=[1,-1,1,1,1,1]"]
    try:
        assert main(["calibrate", "device", "--out", str(tmp_path / "out"), *words, *wrong]) == 0
    finally:
        cap.unplug()
        daemon.kill()
    found = only_calibration(tmp_path / "out").sets
    shipped = find_input(compose(["device=spacemouse"])["device"]).settings.mapping
    assert found["device.mapping.axes"] == list(shipped.axes)
    assert found["device.mapping.scale"] == list(shipped.scale)


def test_a_nudge_that_does_not_come_is_refused_and_leaves_nothing(tmp_path, joystick, capsys):
    words = [*joystick.words, "calibrate.rest_s=0.1", "calibrate.timeout_s=0.3"]
    assert main(["calibrate", "device", "--out", str(tmp_path / "out"), *words]) == 2
    assert "right: expected a nudge and a release within 0.3 s, found none" in capsys.readouterr().err
    assert nothing_in(tmp_path / "out")


def rows(name: str, size: float = 0.9) -> list:
    joystick = np.zeros(6)
    entry, sign = NUDGES[name]
    joystick[TRUE_AXES[entry]] = size * sign * TRUE_SIGNS[entry]
    return [(share * joystick).tolist() for share in (0.4, 1.0, 0.5)]


def recorded(tmp_path, *words: str, **content) -> int:
    nudges = {name: rows(name) for name in NUDGES}
    source = collected(tmp_path, **({"rest": [[0.0] * 6] * 3, "nudges": nudges} | content))
    return main(["calibrate", "device", "--from", source, "--out", str(tmp_path / "out"), *words])


def test_recorded_axes_of_a_device_over_ros_give_its_mapping(tmp_path):
    assert recorded(tmp_path, "device=joy") == 0
    found = only_calibration(tmp_path / "out")
    assert found.belongs_to == {"device.kind": "joy"}
    config = compose(["device=joy", f"calibration.files=[{only_file(tmp_path / 'out')}]"])
    assert config["device"]["mapping"]["axes"] == list(TRUE_AXES)


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [
        ({"nudges": {"right": rows("right", 0.1)}}, ["device=udp"], "right: expected a deflection of at least 0.3"),
        ({"nudges": {"sideways": rows("right")}}, ["device=udp"], "nudges: expected some of right, forward"),
        ({"nudges": None}, ["device=udp"], "nudges: expected some of right, forward"),
        ({"rest": [[0.0]]}, ["device=udp"], "rest: expected rows of 6 numbers"),
        ({}, ["device=keyboard"], "device: expected one with axes, such as spacemouse or gamepad, found keyboard"),
        ({}, ["device=scripted"], "found scripted"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, content, words, expected):
    assert recorded(tmp_path, *words, **content) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["device=joy"], "joy comes over ROS"), (["device=spacemouse", "device.socket=/nowhere"], "is spacenavd running")],
)
def test_a_device_that_is_not_there_is_refused(tmp_path, capsys, words, expected):
    assert main(["calibrate", "device", "--out", str(tmp_path / "out"), *words]) == 2
    assert expected in capsys.readouterr().err
