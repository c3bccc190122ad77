from steadyhand.contracts.robot import RobotContract


class TestMockRobot(RobotContract):
    group = "robot=mock"
    n_joints = 7
