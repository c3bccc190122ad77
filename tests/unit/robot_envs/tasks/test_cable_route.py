"""The rule of the clip, and the cable of the mock."""

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.tasks.cable_route import CableRoute, CableRouteSettings
from steadyhand.robot_envs.tasks.task import TOOL_DOWN
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.build import build
from tests.config_kit import composed
from tests.robot_kit import make_robot_env, state

LENGTH_M, SEGMENTS = 0.24, 8


class Cable:
    """A clip at the origin, with its slot along x, and a straight cable across it."""

    only_noted = False  # its segments are known, as those of the mock

    def __init__(self):
        settings = composed("task=cable_route")["task"]["settings"]
        self.task = CableRoute(build(CableRouteSettings, settings, "task.settings"))
        self.poses = {"clip": frames.pose([0.0, 0.0, 0.0])}

    def pose_of(self, name):
        return self.poses[name]

    def lie(self, y, z, from_x=-0.1):
        """Lay the cable along x, at a distance from the slot's middle and at a height [m]."""
        for index in range(SEGMENTS):
            self.poses[f"cable_{index}"] = frames.pose([from_x + index * LENGTH_M / SEGMENTS, y, z])
        self.poses["cable"] = self.poses["cable_0"]
        return self.task.evaluate(state(), self)


@pytest.mark.parametrize(
    ("y", "z", "from_x", "laid"),
    [
        (0.0, 0.020, -0.1, True),
        (0.0035, 0.026, -0.1, True),
        (0.0045, 0.020, -0.1, False),  # beside the slot
        (0.0, 0.028, -0.1, False),  # not deep enough
        (0.0, 0.020, 0.01, False),  # does not reach back to the clip
        (0.0, 0.020, -0.3, False),  # does not reach it
    ],
)
def test_a_cable_between_the_posts_and_below_their_top_is_laid(y, z, from_x, laid):
    cable = Cable()
    for _ in range(5):
        outcome = cable.lie(y, z, from_x)
    assert outcome.success == laid


def test_success_needs_some_steps_in_a_row():
    cable = Cable()
    inside, above = (0.0, 0.020), (0.0, 0.040)
    successes = [cable.lie(*at).success for at in [inside] * 4 + [above] + [inside] * 5]
    assert successes == [False] * 9 + [True]


def test_progress_is_the_cables_way_into_the_clip():
    cable = Cable()
    assert cable.lie(0.03, 0.067).progress == pytest.approx(0.05)
    assert cable.lie(0.0, 0.020).progress == pytest.approx(0.0)


def test_a_cable_whose_parts_are_not_known_counts_as_straight():
    task, workpieces = Cable().task, NotedWorkpieces()
    workpieces.place("clip", frames.pose([0.0, 0.0, 0.0]))
    workpieces.place("cable", frames.pose([-0.1, 0.0, 0.02]))
    seen = task.observe(state(tcp_pose=frames.pose([0.1, 0.02, 0.06], TOOL_DOWN)[None]), workpieces)
    assert seen["cable"] == pytest.approx([0.0, 0.01, 0.04], abs=1e-6)


def test_the_cable_hangs_between_its_fixed_end_and_the_tool():
    env = make_robot_env("task=cable_route")
    env.reset(seed=0)
    world = env.robot.world
    back = np.array([0.0, 0.0, -1.0, 0.0, 0.0, 0.0], np.float32)  # up, against the taut cable
    for _ in range(10):
        env.step(back)
    tool, fixed = world.tcp_pose()[:3], world.pose_of("cable")[:3]
    last = frames.pose_compose(world.pose_of("cable_7"), frames.pose([LENGTH_M / SEGMENTS, 0.0, 0.0]))
    assert np.linalg.norm(last[:3] - tool) < 0.005
    assert np.linalg.norm(world.pose_of("cable_0")[:3] - fixed) < 1e-9
    assert np.linalg.norm(tool - fixed) < 1.03 * LENGTH_M
    # Lowered between fixed end and start, it sags in the middle but does not fall through the table.
    env.reset(seed=0)
    for _ in range(8):
        env.step(np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], np.float32))
    heights = [world.pose_of(f"cable_{index}")[2] for index in range(SEGMENTS)]
    assert min(heights) > 0.0
    assert np.isfinite(heights).all()
    env.close()
