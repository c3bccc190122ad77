"""An exported policy behind the watchdog, over real DDS: no learner, and the same services, stops and end."""

import signal
from pathlib import Path

from actor_bench import ActorBench
from lifecycle_msgs.msg import Transition
from ros_kit import wait_until
from std_msgs.msg import String

from tests.unit.steadyhand.reach_policy import reach_file


def test_a_policy_file_is_deployed_and_stopped_as_any_other_work(dds, tmp_path):
    path = tmp_path / "policy.onnx"
    path.write_bytes(b"something else")
    bench = ActorBench(tmp_path / "bench", device="none", work="run", policy=str(path))
    try:
        bench.probe.listen("watchdog/stop_reason", String, "latched")
        wait_until(lambda: bench.state() == "unconfigured", "the node")

        def refuses() -> bool:
            return (
                not bench.change(Transition.TRANSITION_CONFIGURE) and "expected a policy that" in bench.actor.output()
            )

        wait_until(refuses, "the refusal of another file")
        path.write_bytes(reach_file())
        bench.bring_up()
        assert bench.probe.heard["actor/command"] == [], "nobody has enabled motion"
        bench.enabled()
        bench.wait_for_steps()
        bench.probe.next("actor/command")
        assert not bench.probe.last("actor/intervention").data
        assert len(bench.probe.last("actor/action").data) == 6
        loaded = Path(f"/proc/{bench.actor.pid}/maps").read_text(encoding="utf-8")
        assert "/onnxruntime/" in loaded
        assert "/torch/" not in loaded
        assert bench.trigger("actor/park").success
        wait_until(lambda: bench.episode()["message"] == "parked", "the break")
        bench.enabled()
        bench.wait_for_steps()
        assert bench.trigger("actor/stop").success
        bench.wait_for_end("person_stop")
        bench.enabled()
        bench.wait_for_steps()
        bench.actor.signal(signal.SIGINT)
        assert bench.actor.wait(10.0) == 0
        wait_until(lambda: bench.probe.last("watchdog/stop_reason").data == "no_commands", "the watchdog's hold")
        assert "Traceback" not in bench.actor.output()
    finally:
        bench.close()
