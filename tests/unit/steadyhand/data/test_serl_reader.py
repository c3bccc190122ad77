import io
import tempfile
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

from steadyhand.data.foreign import ForeignDataError
from steadyhand.data.serl_reader import SerlSet
from steadyhand.data.transitions_child import episodes_of


def transition(state, following, done=0.0, reward=0.0, **infos):
    """One transition as HIL-SERL records it: a stack of one, float64 rewards, nested observations."""

    def seen(value):
        return {"state": np.full((1, 3), value, np.float32), "wrist": np.full((1, 32, 32, 3), value, np.uint8)}

    return {
        "observations": seen(state),
        "actions": np.full(2, state / 10, np.float32),
        "next_observations": seen(following),
        "rewards": reward,
        "masks": 1.0 - done,
        "dones": bool(done),
        "infos": infos,
    }


def two_episodes():
    first = [transition(step, step + 1, float(step == 2), float(step == 2), succeed=step == 2) for step in range(3)]
    # The second one was cut off without `dones`, as a time limit leaves it; its place in the list shows its start.
    return [*first, *(transition(step, step + 1, succeed=False) for step in range(5, 7))]


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def written(path, value):
    out = io.BytesIO()
    ForkingPickler(out, 4).dump(value)
    path.write_bytes(out.getvalue())
    return path


def test_transitions_become_episodes_and_the_temporary_folder_goes(tmp_path, temporary):
    found = SerlSet(written(tmp_path / "demos.pkl", two_episodes()))
    assert len(found) == 2
    assert found.observations["state"].shape == (1, 3)
    assert found.observations["wrist"].shape == (1, 32, 32, 3)
    first, second = found.episodes(["state"], [0, 1])
    assert first.observations["state"][:, 0, 0].tolist() == [0, 1, 2, 3]
    assert (first.terminated, first.success, first.rewards.tolist()) == (True, True, [0, 0, 1])
    assert second.observations["state"][:, 0, 0].tolist() == [5, 6, 7]
    assert (second.terminated, second.success) == (False, False)
    found.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x80\x02cos\nsystem\nX\x05\0\0\0touchq\0\x85R.", "os.system"),
        (b"\x80\x04]}(\x8c\x01a", "expected"),
        (b"\x80\x02K\x01.", "expected a list of transitions"),
    ],
)
def test_a_hostile_file_is_one_line_and_leaves_nothing(tmp_path, temporary, content, told):
    path = tmp_path / "demos.pkl"
    path.write_bytes(content)
    with pytest.raises(ForeignDataError, match=told) as refusal:
        SerlSet(path)
    assert "\n" not in str(refusal.value)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_child_beyond_its_memory_is_one_line(tmp_path, temporary, monkeypatch):
    """A list of references to one large array is small in the file, and large when its rows are stacked."""
    one = transition(0, 0)
    one["observations"]["state"] = one["next_observations"]["state"] = np.zeros((2000, 2000), np.float64)
    path = written(tmp_path / "demos.pkl", [one] * 2000)
    assert path.stat().st_size < 40 << 20
    with pytest.raises(ForeignDataError, match="at most 8 GiB of memory"):
        SerlSet(path)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: one.pop("masks"), "found no masks"),
        (lambda one: one["observations"].pop("wrist"), "same observations"),
        (lambda one: one.update(actions=np.zeros(5)), "arrays of one shape"),
        (lambda one: one.update(actions=np.array(["a", "b"])), "expected arrays of"),
    ],
)
def test_what_are_no_transitions_is_refused(spoil, told):
    transitions = two_episodes()
    spoil(transitions[1])
    with pytest.raises(ForeignDataError, match=told):
        episodes_of(transitions)
