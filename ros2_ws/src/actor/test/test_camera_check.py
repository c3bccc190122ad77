"""The actor node refuses to work with a camera that was moved since its reference, before anything moves."""

import threading

import numpy as np
import pytest
from actor_bench import ENDLESS, PATIENT, ActorBench
from lifecycle_msgs.msg import Transition
from PIL import Image as Picture
from ros_kit import wait_until
from sensor_msgs.msg import Image

from actor_ros import conversions
from steadyhand.cli import main
from tests.board_kit import facing, renderer

STAMP = conversions.stamp_from_ns(0)
VIEW = "+camera.views.side={height: 48, width: 64, crop: {left: 0.25, top: 0.25, width: 0.5, height: 0.5}}"
SIZE = ("calibration.pictures.width=320", "calibration.pictures.height=240")
PERIOD_S = 0.1
PATIENCE_S = 150.0  # the job imports torch first


def reference(folder, picture):
    (folder / "photos").mkdir(parents=True)
    Picture.fromarray(picture).save(folder / "photos" / "a.png")
    where = ["--camera", "side", "--pictures", str(folder / "photos"), "--output", str(folder / "out")]
    assert main(["calibrate", "reference", *where]) == 0
    return next((folder / "out").glob("*.yaml"))


class Driver(threading.Thread):
    """Publishes one picture again and again."""

    def __init__(self, probe, picture) -> None:
        super().__init__(daemon=True)
        self._message = conversions.image_from_array(picture, "side", STAMP)
        self._publisher = probe.publisher("side/image_raw", Image, "image")
        self._ending = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ending.wait(PERIOD_S):
            self._publisher.publish(self._message)

    def end(self) -> None:
        self._ending.set()
        self.join()


class Cell(ActorBench):
    """The bench, and the place of its tool."""

    def place(self) -> list[float]:
        """Its mean position, since one reading has a noise of 0.05 mm."""
        positions = [self.probe.next("current_pose").pose.position for _ in range(50)]
        return np.mean([(each.x, each.y, each.z) for each in positions], axis=0).tolist()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("shift_px", [0, 4])
def test_the_actor_compares_the_whole_picture_before_it_works(dds, tmp_path, shift_px):
    picture = renderer().render(facing())
    file = reference(tmp_path, np.roll(picture, shift_px, axis=1))
    given = [*PATIENT, *ENDLESS, *SIZE, VIEW, f"calibration.files=[{file}]"]
    bench = Cell(tmp_path / "actor", overrides=str(given))
    driver = None
    try:
        driver = Driver(bench.probe, picture)
        before = bench.place()
        wait_until(lambda: bench.change(Transition.TRANSITION_CONFIGURE), lambda: bench.actor.output())
        wait_until(lambda: bench.change(Transition.TRANSITION_ACTIVATE), lambda: bench.actor.output())
        if shift_px:
            line = "demonstrate ended: camera side: MOVED: its picture has shifted by "
            wait_until(lambda: line in bench.actor.output(), lambda: bench.actor.output(), PATIENCE_S)
            wait_until(lambda: bench.state() == "inactive", "an actor that has put the work down")
            assert bench.place() == pytest.approx(before, abs=1e-4)  # it was asked to hold there, and nothing else
            assert not bench.enable().success
        else:
            wait_until(lambda: "side: in place: " in bench.actor.output(), lambda: bench.actor.output(), PATIENCE_S)
            bench.enabled()
            bench.wait_for_steps()
    finally:
        if driver is not None:
            driver.end()
        bench.close()
