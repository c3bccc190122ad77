from steadyhand.robot_envs.mock.config import MockRobotConfig, WorldConfig
from steadyhand.robot_envs.mock.robot import MockRobot
from steadyhand.robot_envs.mock.world import World
from steadyhand.runtime.config import build, compose
from tests.contract.robot_contract import RobotContract


class TestMockRobot(RobotContract):
    def make_robot(self):
        config = compose(["task=reach"])
        world = World(build(WorldConfig, {**config["robot"]["world"], "scene": config["task"]["scene"]}))
        return MockRobot(build(MockRobotConfig, config["robot"]["imperfections"]), world)

    def wait(self, robot, seconds):
        clock = robot.world.clock
        clock.sleep_until(clock.now_ns() + round(seconds * 1e9))
