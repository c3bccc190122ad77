"""A recorded episode again behind ROS: through gate and watchdog, with the person's enable and stops."""

import pytest
from actor_bench import ENDLESS, ActorBench
from lifecycle_msgs.msg import Transition
from ros_kit import wait_until

from steadyhand.pipeline.recorded_episode import read_episode


@pytest.fixture(scope="module")
def demos(dds, tmp_path_factory):
    """One demonstration that was recorded behind ROS, whose arm follows a command later than the plain mock's."""
    folder = tmp_path_factory.mktemp("recorded")
    bench = ActorBench(folder, start=False, once="true")
    bench.given["overrides"] = bench.given["overrides"].replace(ENDLESS[0], "demo.demos=1")
    bench.start_actor()
    try:
        wait_until(lambda: bench.state() == "unconfigured", "the node")
        bench.bring_up()
        bench.enabled()
        wait_until(lambda: not bench.actor.is_running(), lambda: f"the end of the work: {bench.actor.output()}")
        return folder / "runs" / "ros" / "demos"
    finally:
        bench.close()


@pytest.mark.slow
def test_an_episode_is_replayed_and_stopped_as_any_other_work(tmp_path, demos):
    number = next(number for number in range(9) if read_episode(demos, number).success)
    bench = ActorBench(tmp_path / "bench", device="none", work="replay", recording=str(demos), episode=str(number))
    try:
        wait_until(lambda: bench.state() == "unconfigured", "the node")
        bench.bring_up()
        assert bench.probe.heard["actor/command"] == []  # motion is not enabled yet
        bench.enabled()
        bench.probe.next("actor/command")
        wait_until(lambda: "replay ended: " in bench.actor.output(), "the end of the replay")
        wait_until(lambda: bench.state() == "inactive", "the end of the work")
        line = next(line for line in bench.actor.output().splitlines() if "replay ended: " in line)
        assert f"replay ended: episode {number}, " in line
        assert "start drawn from a seed of the recording" in line
        assert float(line.partition("largest ")[2].split()[0]) < 10.0, line  # mm; a busy machine steps late
        assert "outcome: success, recorded: success" in line
        assert bench.change(Transition.TRANSITION_ACTIVATE)
        bench.enabled()
        bench.probe.next("actor/command", since=len(bench.probe.heard["actor/command"]))
        assert bench.trigger("actor/stop").success
        wait_until(lambda: bench.actor.output().count("replay ended: ") == 2, "the end by the stop")
        assert "Traceback" not in bench.actor.output()
    finally:
        bench.close()


@pytest.mark.slow
def test_what_cannot_be_replayed_keeps_the_node_from_being_configured(tmp_path, demos):
    bench = ActorBench(tmp_path / "bench", device="none", work="replay", recording=str(demos), episode="77")
    try:
        wait_until(lambda: bench.state() == "unconfigured", "the node")

        def refuses() -> bool:
            return (
                not bench.change(Transition.TRANSITION_CONFIGURE)
                and "expected episode 77, found " in bench.actor.output()
            )

        wait_until(refuses, "the refusal")
        assert not (bench.folder / "runs").exists()
    finally:
        bench.close()
