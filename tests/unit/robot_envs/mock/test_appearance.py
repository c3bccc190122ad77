import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.mock.optics import camera_in_base
from tests.gap_kit import make_arm, make_camera
from tests.robot_kit import TOOL_DOWN

AT = frames.pose([0.5, 0.0, 0.3], TOOL_DOWN)
POSES = ["camera_m=0.02", "camera_rad=0.05"]


def pictures(*overrides, episodes=(0, 1, 0), name="side"):
    arm = make_arm(*overrides)
    camera = make_camera(arm, name, 48, 64)
    shown = []
    for episode in episodes:
        arm.begin(episode)
        arm.world.set_configuration(AT, 0.02)
        shown.append(camera.latest().pixels.astype(int))
    camera.close()
    return shown


@pytest.mark.parametrize(
    "number",
    ["brightness_share=0.3", "light_m=0.5", "colour_share=0.2", "table_patterns=64", "exposure_share=0.3", *POSES],
)
def test_every_episode_looks_different_and_its_seed_draws_it(number):
    first, other, again = pictures(f"gap.picture.{number}")
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 0.3


def test_without_a_gap_every_episode_looks_the_same():
    first, other, _ = pictures()
    assert np.array_equal(first, other)


def test_noise_has_its_standard_deviation_and_differs_between_frames():
    clean, noisy = (pictures(*choice, episodes=(0,))[0] for choice in ((), ("gap.picture.noise_levels=4",)))
    middle = (clean > 40) & (clean < 215)
    assert (noisy - clean)[middle].std() == pytest.approx(4.0, rel=0.1)
    arm = make_arm("gap.picture.noise_levels=4")
    camera = make_camera(arm, "side")
    one, same = camera.latest().pixels, camera.latest().pixels
    arm.world.step(1)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, camera.latest().pixels)
    camera.close()


def test_the_pose_of_a_camera_is_drawn_around_its_hidden_mount():
    arm = make_arm("gap.picture.camera_m=0.002", "gap.hidden.camera_m=0.005")
    mount = make_arm("gap.hidden.camera_m=0.005")
    for episode in range(3):
        arm.begin(episode)
        for one in (arm, mount):
            one.world.set_configuration(AT, 0.02)
        apart = frames.pose_relative(*(camera_in_base(one.world.data, "wrist") for one in (mount, arm)))
        assert apart == pytest.approx(arm.world.appearance.look.cameras["wrist"], abs=1e-6)
        assert 1e-4 < np.abs(apart[:3]).max() <= 0.002


def test_the_colours_of_all_episodes_stay_around_the_nominal_ones():
    arm = make_arm("gap.picture.colour_share=0.2")
    nominal = make_arm().world.model.geom_rgba[:, :3]
    for episode in range(20):
        arm.begin(episode)
        assert np.all(np.abs(arm.world.model.geom_rgba[:, :3] - nominal) <= 0.2 * nominal + 1e-6)
