import json

import pytest

from steadyhand.learner.resume import EpochError, next_epoch


def test_every_start_has_a_higher_number(tmp_path):
    path = tmp_path / "learner_epoch.json"
    assert [next_epoch(path) for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"7", b"{}", b"\xff", b"[" * 100_000),
        *(b'{"learner_epoch": %s}' % value for value in (b"null", b"Infinity", b"1e999", b"1.5", b'"3"')),
    ],
)
def test_an_odd_file_is_one_line_and_stays(tmp_path, raw):
    path = tmp_path / "learner_epoch.json"
    path.write_bytes(raw)
    with pytest.raises(EpochError, match="write a number") as caught:
        next_epoch(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == raw
    path.write_text(json.dumps({"learner_epoch": 1000}))
    assert next_epoch(path) == 1001
