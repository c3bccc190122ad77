from steadyhand.robot_envs.hardware import find_robot
from steadyhand.runtime.config import compose
from tests.contract.robot_contract import RobotContract


class TestMockRobot(RobotContract):
    def make_robot(self):
        config = compose(["task=reach"])
        return find_robot(config["robot"]).make(config["task"]["scene"]).make().robot

    def wait(self, robot, seconds):
        clock = robot.world.clock
        clock.sleep_until(clock.now_ns() + round(seconds * 1e9))
