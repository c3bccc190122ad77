"""Recording with a person behind ROS: every attempt waits for the person's enable, and begins after a countdown."""

import threading

import numpy as np
import pytest
from actor_bench import ActorBench, value
from ros_kit import Probe, wait_until
from sensor_msgs.msg import Joy

WORDS = ("demo.demos=2", "demo.dialogue.countdown_s=2", "task.drive.max_steps=100000")


class GamepadBench(ActorBench):
    """The bench with an actor whose person has a gamepad at rest, and gives the verdicts by services."""

    def __init__(self, folder) -> None:
        super().__init__(folder, start=False, device="joy")
        given = self.given["overrides"].replace("demo.demos=500", WORDS[0])
        self.given["overrides"] = given.replace("[", f"[{', '.join(WORDS[1:])}, ", 1)
        self._driver, self._ending = Probe("gamepad"), threading.Event()
        self._publisher = self._driver.node.create_publisher(Joy, "joy", 10)
        self._thread = threading.Thread(target=self._rest, daemon=True)
        self._thread.start()
        self.start_actor()

    def _rest(self) -> None:
        while not self._ending.wait(0.02):
            self._publisher.publish(Joy(axes=[0.0] * 8, buttons=[0] * 11))

    def close(self) -> None:
        super().close()
        self._ending.set()
        self._thread.join(5)
        self._driver.close()

    def position(self) -> np.ndarray:
        """Return the place of the tool [m]."""
        at = self.probe.last("current_pose").pose.position
        return np.array([at.x, at.y, at.z])

    def spoken(self) -> list[str]:
        """Messages of actor/episode so far."""
        return [message.message for _, message in self.probe.heard["actor/episode"]]


@pytest.fixture
def bench(dds, tmp_path):
    bench = GamepadBench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.slow
def test_each_attempt_waits_for_the_person_and_counts_down_before_it_moves(bench):
    wait_until(lambda: bench.state() == "unconfigured", "the node")
    bench.bring_up()
    for number in (1, 2):
        wait_until(lambda: bench.spoken()[-1:] == ["waiting"], lambda: f"the wait, not {bench.spoken()[-3:]}")
        since = len(bench.probe.heard["actor/episode"])
        commands = len(bench.probe.heard["actor/command"])
        bench.enabled()
        bench.probe.next("actor/episode", lambda m: value(m, "countdown_s") == "1", since=since)
        assert len(bench.probe.heard["actor/command"]) == commands  # nothing moves before its end
        bench.probe.next("actor/episode", lambda m: m.message == "running" and value(m, "step") == "3", since=since)
        spoken = bench.spoken()[since:]
        assert spoken.index("countdown") < spoken.index("running")
        assert bench.trigger("actor/success").success
        wait_until(lambda number=number: bench.episode()["demonstrations"].startswith(f"{number} of 2; "), "the count")
    wait_until(lambda: bench.state() == "inactive", "the end of the work")
    output = bench.actor.output()
    assert "waiting for a person to enable motion with actor/enable (ready for demonstration 2 of 2)" in output
    assert output.count("  2 ...\n") == output.count("  go\a\n") == 2
    assert "  2 of 2; kept as demonstration" in output


@pytest.mark.slow
def test_a_stop_in_the_countdown_ends_it_and_nothing_moves(bench):
    wait_until(lambda: bench.state() == "unconfigured", "the node")
    bench.bring_up()
    wait_until(lambda: bench.spoken()[-1:] == ["waiting"], "the wait")
    bench.enabled()
    bench.probe.next("actor/episode", lambda m: m.message == "countdown", since=0)
    before = bench.position()
    assert bench.trigger("actor/stop").success
    wait_until(lambda: bench.spoken()[-1:] == ["waiting"], "the wait after the stop")
    assert "running" not in bench.spoken()
    assert np.abs(bench.position() - before).max() < 0.001
