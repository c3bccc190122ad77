"""A Franka arm on loopback: franky-sim, with the reflexes and the wrench that it does not simulate.

    python -m tests.franka_server ADDRESS

Each line on stdin is one request, answered by one line of JSON on stdout. A process of its own, so that a test can kill
it, and so that the arm keeps its 1 kHz independently of the test's interpreter.
"""

import json
import queue
import sys
import threading

import numpy as np
from franky_sim import franka_robot_server
from franky_sim.franka_robot_protocol import (
    AutomaticErrorRecoveryCommand,
    BaseCommand,
    MoveStatus,
    RobotCommand,
    RobotMode,
)
from franky_sim.mujoco_simulator import MujocoSimulator

from steadyhand.runtime.clock import MonotonicClock

READY_RAD = (0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785)  # inside the workspace of the tests, the tool points down
ERRORS = {"joint_reflex": 6, "cartesian_reflex": 7}  # place in libfranka's list of errors
STEP_NS = 1_000_000
LATEST_NS = 10_000_000  # a longer stall is not caught up
KEPT = 20_000  # states, of 1 ms


class Recovery(AutomaticErrorRecoveryCommand):
    def handle(self, server):
        server.reflex = ""
        super().handle(server)


class Server(franka_robot_server.FrankaRobotServer):
    reflex = ""
    push = (0.0,) * 6
    is_silent = False
    is_commanded = False
    cycles = commanded = 0

    def start_motion(self, *arguments):
        if self.reflex:
            raise ValueError("in reflex")
        super().start_motion(*arguments)

    @property
    def robot_state(self):
        state = super().robot_state.replace(K_F_ext_hat_K=tuple(-x for x in self.push))
        if not self.reflex:
            return state
        errors = tuple(index == ERRORS[self.reflex] for index in range(41))
        return state.replace(robot_mode=RobotMode.kReflex, errors=errors, reflex_reason=errors)

    def _pre_process_commands(self):
        super()._pre_process_commands()
        self.is_commanded = False

    def _handle_udp_command(self, data):
        self.is_commanded = True
        super()._handle_udp_command(data)

    def _post_process_commands(self):
        super()._post_process_commands()
        self.cycles += self.current_motion_id > 0
        self.commanded += self.current_motion_id > 0 and self.is_commanded

    def send_state(self):
        if not self.is_silent:
            super().send_state()

    def abort(self, reflex):
        self.reflex = reflex
        motion = self.current_motion_id
        self.stop_motion(send_preemption_signal=False)
        if motion:
            self.send_state()
            BaseCommand.send_response(self._tcp_socket, RobotCommand.kMove, motion, MoveStatus.kReflexAborted)
            self.reset_current_motion_id()


class Arm:
    """The simulated arm and its answers. `step` and `answer` are called by one thread."""

    def __init__(self, address):
        franka_robot_server.AutomaticErrorRecoveryCommand = Recovery
        self.sim = MujocoSimulator()
        self.sim.init()
        self.robot = self.sim.add_robot(initial_q=READY_RAD)
        self.server = Server(self.robot, [address])
        self.server.init()
        self.sim.start()
        self.trace, self.steps = np.zeros((KEPT, 10)), 0

    def step(self):
        self.server.process_commands()
        self.sim.step()
        # franky-sim's poses share one buffer, and the last one computed is the desired one: compute the measured one.
        q = self.robot.inner_state.q
        tcp = self.robot.kinematics(q).translation.copy()
        self.server.send_state()
        self.trace[self.steps % KEPT] = (*tcp, *q)
        self.steps += 1

    def answer(self, name, *words):
        return getattr(self, f"do_{name}")(*words)

    def do_reflex(self, error):
        self.server.abort(error)

    def do_push(self, *wrench):
        self.server.push = tuple(map(float, wrench))

    def do_silence(self, is_silent):
        self.server.is_silent = is_silent == "1"

    def do_forget(self):
        self.steps = 0

    def do_trace(self, path):
        assert self.steps <= KEPT, "the trace is too long; forget it earlier"
        np.save(path, self.trace[: self.steps])  # JSON would take so long that the arm falls silent

    def do_cycles(self):
        """Return the number of 1 ms cycles under control, and of those that brought a new command."""
        return [self.server.cycles, self.server.commanded]


def listen(requests):
    for line in sys.stdin:
        requests.put(line)
    requests.put(None)  # the test's process has ended


def main(address):
    arm, requests = Arm(address), queue.Queue()
    threading.Thread(target=listen, args=(requests,), daemon=True).start()
    clock, say = MonotonicClock(), lambda answer: (sys.stdout.write(json.dumps(answer) + "\n"), sys.stdout.flush())
    say("ready")
    next_ns = clock.now_ns()
    while True:
        arm.step()
        while not requests.empty():
            if (request := requests.get()) is None:
                return
            say(arm.answer(*request.split()))
        next_ns = max(next_ns + STEP_NS, clock.now_ns() - LATEST_NS)
        clock.sleep_until(next_ns)


if __name__ == "__main__":
    main(sys.argv[1])
