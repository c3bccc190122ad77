import mujoco
import numpy as np
import pytest

from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.robot_envs.mock.arm import arm_xml
from steadyhand.robot_envs.mock.fr3 import FR3
from steadyhand.runtime.config import compose


@pytest.fixture(scope="module")
def simulated():
    classes = '<default><default class="link"/><default class="finger"/></default>'
    arm = arm_xml(FR3, 0.1, 0.1, "")
    xml = f"<mujoco>{classes}<worldbody>{arm}</worldbody></mujoco>"
    model = mujoco.MjModel.from_xml_string(xml)
    return model, mujoco.MjData(model)


def test_the_devices_kinematics_are_those_of_the_simulated_fr3(simulated):
    model, data = simulated
    config = find_input(compose(["device=leader"])["device"]).settings
    chain = DhChain(config.dh, config.tool)
    assert chain.n_joints == FR3.n_joints
    rng = np.random.default_rng(0)
    low, high = np.array(FR3.limits_rad).T
    for _ in range(50):
        joints = rng.uniform(low, high)
        data.qpos[:7] = joints
        mujoco.mj_kinematics(model, data)
        pose = chain.pose(joints)
        np.testing.assert_allclose(pose[:3], data.site("tcp").xpos, atol=1e-5)
        quat = np.roll(_quat(data.site("tcp").xmat), -1)
        assert abs(float(pose[3:] @ quat)) == pytest.approx(1.0, abs=1e-6)


def _quat(matrix):
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, matrix)
    return quat


def test_a_turn_more_is_the_same_pose():
    chain = DhChain([(0.1, 0.2, 0.3), (0.4, 0.0, -0.5)], np.zeros(6))
    joints = np.array([0.3, -0.7])
    np.testing.assert_allclose(chain.pose(joints), chain.pose(joints + np.array([2, -2]) * np.pi), atol=1e-12)
