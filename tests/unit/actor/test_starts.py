import numpy as np
import pytest

from steadyhand.actor.control_loop import episode_seed
from steadyhand.actor.starts import Start, StartsError, digest_of, read_starts, seeded_starts
from steadyhand.transport.record import Phase


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_drawn_starts_are_those_of_the_seeds():
    starts = seeded_starts(4, 3)
    assert [start.seed for start in starts] == [episode_seed(4, Phase.EVAL, index) for index in range(3)]
    assert starts[0].options is None


def test_a_file_of_starts(tmp_path):
    text = "starts:\n- {seed: 3}\n- {seed: 4, start_pose: [[0.5, 0, 0.2, 1, 0, 0, 0]], note: left corner}\n"
    plain, posed = read_starts(write(tmp_path / "starts.yaml", text))
    assert plain == Start(3)
    assert posed.note == "left corner"
    assert np.array_equal(posed.options["start_pose"], [[0.5, 0.0, 0.2, 1.0, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "expected the one key starts"),
        ("starts: []", "expected the one key starts"),
        ("seeds: [1]", "expected the one key starts"),
        ("starts: [{seed: 1}]\nmore: 2", "expected the one key starts"),
        ("starts: [3]", r"starts\[0\]: expected a mapping"),
        ("starts: [{seed: 1}, {seed: -1}]", r"starts\[1\]: seed: expected a number within"),
        ("starts: [{seed: 1, pose: 2}]", "unknown key 'pose'"),
        ("starts: [{seed: 1, start_pose: [[1, 2, 3]]}]", "start_pose: expected 7 numbers"),
        ("starts: [{seed: 1, start_pose: [[0, 0, 0, 1, 1, 0, 0]]}]", "expected a quaternion of length 1"),
        ("starts: [{seed: 1, start_pose: [[.nan, 0, 0, 1, 0, 0, 0]]}]", "expected a finite number"),
        ("starts: [", "expected a YAML file of starts"),
        ("!!python/object/apply:os.getcwd []", "expected a YAML file of starts"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, text, found):
    with pytest.raises(StartsError, match=found) as error:
        read_starts(write(tmp_path / "starts.yaml", text))
    assert "\n" not in str(error.value)


def test_no_file_is_refused(tmp_path):
    with pytest.raises(StartsError, match="No such file"):
        read_starts(tmp_path / "starts.yaml")


def test_the_digest_tells_lists_apart():
    one, other = (Start(1), Start(2)), (Start(2), Start(1))
    assert digest_of(one) == digest_of((Start(1), Start(2)))
    assert len({digest_of(one), digest_of(other), digest_of((Start(1, note="x"), Start(2)))}) == 3
