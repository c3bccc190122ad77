"""What the tests of the actor's side share: mock robot and watchdog as processes, and a cell in the test's own."""

from __future__ import annotations

from ros_kit import Probe, Process, node_arguments, wait_until
from std_srvs.srv import Trigger

from actor_ros.hardware import RosHardware
from steadyhand.runtime.config import compose

MOCK, WATCHDOG = "actor_ros.mock_robot_node", "actor_ros.watchdog_node"


class Bench:
    """Mock robot and watchdog of one namespace, and a probe that holds the actor's cell."""

    def __init__(self, folder, namespace: str = "/", *overrides: str, task: str = "reach") -> None:
        folder.mkdir(exist_ok=True)
        self.namespace = namespace
        given = {"task": task, **({"overrides": f"[{', '.join(overrides)}]"} if overrides else {})}
        self.processes = [
            Process(folder, module, *node_arguments(namespace, **given), name=f"{module}{index}")
            for index, module in enumerate((MOCK, WATCHDOG))
        ]
        self.probe = Probe("actor_bench", namespace)
        self.config = compose([f"task={task}", "robot=mock_ros", *overrides])
        self.allowed = True
        self.faults = 0

    def make_cell(self) -> RosHardware:
        return RosHardware(self.probe.node, self.config, lambda: self.allowed, self._on_fault)

    def _on_fault(self) -> None:
        self.faults += 1

    def rearm(self) -> None:
        wait_until(lambda: self.probe.call(Trigger, "watchdog/rearm").success, "a rearmed watchdog")

    def close(self) -> None:
        for process in self.processes:
            process.stop()
        self.probe.close()
