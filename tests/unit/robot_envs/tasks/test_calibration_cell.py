import numpy as np
import pytest

from steadyhand.robot_envs.mock.charuco import find_board
from tests.robot_kit import make_robot_env

cv2 = pytest.importorskip("cv2")


@pytest.mark.parametrize(("task", "view"), [("calibration_cell", "wrist"), ("calibration_cell_held", "side")])
def test_the_camera_that_it_is_for_sees_the_whole_board(task, view):
    env = make_robot_env(f"task={task}", "camera=calibration")
    observation, info = env.reset(seed=0)
    scene = env.robot.world.scene
    board = find_board(scene.tool or scene.fixtures["board"])
    grey = cv2.cvtColor(observation[view], cv2.COLOR_RGB2GRAY)
    _, ids, _, _ = cv2.aruco.CharucoDetector(board.opencv()).detectBoard(grey)
    assert len(ids) >= 20
    assert info["truth"] == {}
    env.close()


def test_it_has_no_goal():
    env = make_robot_env("task=calibration_cell", "task.drive.max_steps=3")
    observation, _ = env.reset(seed=0)
    assert observation["board"][2] == pytest.approx(0.246, abs=1e-3)  # below the tool
    for _ in range(3):
        _, reward, terminated, truncated, info = env.step(np.zeros(6, np.float32))
        assert (reward, terminated, info["success"]) == (0.0, False, False)
    assert truncated
    env.close()
