import json

import h5py
import numpy as np
import pytest

from steadyhand.data.foreign import ForeignDataError
from steadyhand.data.formats import opened_foreign
from steadyhand.data.robomimic_reader import RobomimicSet
from tests.unit.steadyhand.data.data_kit import pictures


def write(path, following=True, demos=(3, 11)):
    """Write a file as robosuite's conversion leaves it: float64, numbers of demonstrations that are not padded."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["env_args"] = json.dumps({"env_name": "Lift", "env_type": 1, "env_kwargs": {"control_freq": 20}})
        for number in demos:
            steps = 2 + number
            demo = data.create_group(f"demo_{number}")
            demo.attrs["num_samples"] = steps
            demo["actions"] = rng.uniform(-1, 1, (steps, 7))
            demo["rewards"], demo["dones"] = np.eye(steps)[-1], np.eye(steps)[-1].astype(int)
            demo["states"] = np.zeros((steps, 32))
            values = rng.normal(size=(steps + 1, 3))
            frames = pictures(steps + 1, (40, 40, 3), rng)
            demo["obs/robot0_eef_pos"], demo["obs/agentview_image"] = values[:-1], frames[:-1]
            if following:
                demo["next_obs/robot0_eef_pos"], demo["next_obs/agentview_image"] = values[1:], frames[1:]
    return path


def test_demonstrations_come_in_the_order_of_their_numbers(tmp_path):
    with opened_foreign(write(tmp_path / "low_dim.hdf5")) as found:
        assert isinstance(found, RobomimicSet)
        assert (len(found), found.period_s) == (2, pytest.approx(0.05))
        assert found.observations["robot0_eef_pos"].shape == (3,)
        assert found.observations["agentview_image"].dtype == "uint8"
        first, second = found.episodes(["robot0_eef_pos"], [0, 1])
    assert (first.name, second.name) == ("demo_3", "demo_11")
    assert (len(first.observations["robot0_eef_pos"]), len(first.actions["actions"])) == (6, 5)
    # Nothing in such a file says for certain that the task was done.
    assert (first.success, first.terminated, first.rewards.sum()) == (None, None, 1.0)


def test_without_next_obs_the_last_observation_is_missing(tmp_path):
    with opened_foreign(write(tmp_path / "a.hdf5", following=False)) as found:
        (first,) = found.episodes(["robot0_eef_pos"], [0])
    assert len(first.observations["robot0_eef_pos"]) == 5


def giant(path):
    with h5py.File(path, "a") as file:
        del file["data/demo_3/actions"]
        file["data/demo_3"].create_dataset("actions", (1 << 40, 7), "f8", chunks=(1024, 7), compression="gzip")


def bomb(path):
    """A megabyte on the disk that would be 16 GiB in memory."""
    with h5py.File(path, "a") as file:
        del file["data/demo_3/obs/robot0_eef_pos"]
        zeros = file["data/demo_3/obs"].create_dataset(
            "robot0_eef_pos", (1 << 31, 1), "f8", chunks=(1 << 20, 1), compression="gzip"
        )
        zeros[: 1 << 20] = 0


def outside(path):
    """A link to another file, which would be read with the rights of the person who imports."""
    secret = path.with_name("secret.hdf5")
    with h5py.File(secret, "w") as file:
        file["x"] = np.zeros((5, 3))
    with h5py.File(path, "a") as file:
        del file["data/demo_3/obs/robot0_eef_pos"]
        file["data/demo_3/obs/robot0_eef_pos"] = h5py.ExternalLink(str(secret), "x")


def raw_outside(path):
    secret = path.with_name("secret.bin")
    secret.write_bytes(bytes(120))
    with h5py.File(path, "a") as file:
        del file["data/demo_3/obs/robot0_eef_pos"]
        file["data/demo_3/obs"].create_dataset("robot0_eef_pos", (5, 3), "f8", external=[(str(secret), 0, 120)])


def other_length(path):
    with h5py.File(path, "a") as file:
        del file["data/demo_3/obs/robot0_eef_pos"]
        file["data/demo_3/obs/robot0_eef_pos"] = np.zeros((4, 3))


def cut(path):
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (giant, "expected at most 4 GiB|rows of numbers"),
        (bomb, "rows of numbers|expected at most"),
        (outside, "found a link or values elsewhere"),
        (raw_outside, "found a link or values elsewhere"),
        (other_length, "expected 5 rows of numbers"),
        (cut, "expected an HDF5 file"),
    ],
)
def test_a_damaged_or_hostile_file_is_one_line(tmp_path, spoil, told):
    path = write(tmp_path / "a.hdf5")
    spoil(path)
    with pytest.raises(ForeignDataError, match=told) as refusal, opened_foreign(path) as found:
        list(found.episodes(["robot0_eef_pos"], [0]))
    assert "\n" not in str(refusal.value)


def test_a_file_without_demonstrations_is_named(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["data/x"] = np.zeros(3)
    with pytest.raises(ForeignDataError, match="expected demonstrations"), opened_foreign(tmp_path / "a.hdf5"):
        pass
