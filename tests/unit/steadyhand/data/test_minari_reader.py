import json

import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.data.foreign import ForeignDataError
from steadyhand.data.formats import opened_foreign

minari = pytest.importorskip("minari")

from minari.data_collector import EpisodeBuffer  # noqa: E402
from minari.dataset.minari_storage import MinariStorage  # noqa: E402

SPACE = spaces.Dict(
    {
        "pose": spaces.Box(-np.inf, np.inf, (3,), np.float32),
        "nested": spaces.Dict({"wrist": spaces.Box(0, 255, (40, 48, 3), np.uint8)}),
    }
)
ACTIONS = spaces.Box(-1.0, 1.0, (2,), np.float32)


def episode(number, steps, rng):
    grey = rng.integers(0, 256, steps + 1)
    return EpisodeBuffer(
        id=number,
        observations={
            "pose": rng.normal(size=(steps + 1, 3)).astype(np.float32),
            "nested": {"wrist": np.broadcast_to(grey[:, None, None, None], (steps + 1, 40, 48, 3)).astype(np.uint8)},
        },
        actions=rng.uniform(-1, 1, (steps, 2)).astype(np.float32),
        rewards=[0.0] * (steps - 1) + [1.0],
        terminations=[False] * (steps - 1) + [number == 0],
        truncations=[False] * (steps - 1) + [number != 0],
        infos={"success": np.array([False] * steps + [number == 0])},
    )


@pytest.fixture(params=["hdf5", "arrow", "parquet"])
def theirs(request, tmp_path):
    """A data set that Minari itself writes."""
    storage = MinariStorage.new(tmp_path / "data", SPACE, ACTIONS, data_format=request.param)
    rng = np.random.default_rng(0)
    written = [episode(number, 3 + number, rng) for number in range(2)]
    storage.update_episodes(written)
    return tmp_path, written


def test_what_minari_writes_is_read(theirs):
    folder, written = theirs
    with opened_foreign(folder) as found:
        assert len(found) == 2
        assert set(found.observations) == {"pose", "nested/wrist"}
        read = list(found.episodes(["pose", "nested/wrist"], [0, 1]))
    for one, other in zip(read, written, strict=True):
        np.testing.assert_array_equal(one.observations["pose"], other.observations["pose"])
        difference = one.observations["nested/wrist"].astype(int) - other.observations["nested"]["wrist"]
        assert np.abs(difference).max() <= 2  # Minari stores pictures as JPEG
        np.testing.assert_array_equal(one.actions["action"], other.actions)
        assert one.rewards.tolist() == other.rewards
    assert [one.terminated for one in read] == [True, False]
    assert [one.success for one in read] == [True, False]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda facts: facts.pop("observation_space"), "expected observation_space"),
        (lambda facts: facts.update(total_episodes="many"), "Minari data set's facts"),
        (lambda facts: facts.update(total_episodes=9), "expected"),
        (lambda facts: facts.update(data_format="pickle"), "expected hdf5, arrow or parquet"),
        (lambda facts: facts.update(observation_space='{"type": "Box", "dtype": "float32", "shape": [3]}'), "expected"),
    ],
)
def test_metadata_that_do_not_fit_are_one_line(theirs, spoil, told):
    folder, _ = theirs
    path = folder / "data" / "metadata.json"
    facts = json.loads(path.read_text())
    spoil(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(ForeignDataError, match=told) as refusal, opened_foreign(folder) as found:
        list(found.episodes(list(found.observations), range(len(found))))
    assert "\n" not in str(refusal.value)


def test_a_file_that_was_cut_short_is_one_line(theirs):
    folder, _ = theirs
    for path in folder.rglob("*"):
        if path.suffix in (".hdf5", ".arrow", ".parquet"):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ForeignDataError, match="expected") as refusal, opened_foreign(folder) as found:
        list(found.episodes(["pose"], [0]))
    assert "\n" not in str(refusal.value)
