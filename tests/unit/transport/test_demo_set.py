import json

import pytest

from steadyhand.transport.demo_set import (
    DemoManifest,
    DemoSetError,
    count_episodes,
    is_demo_set,
    mean_steps,
    read_manifest,
    write_manifest,
)
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from tests.transport_kit import SCHEMA, record, session_id, write_episode, writer_in


def test_the_manifest_is_readable_json_and_comes_back(tmp_path):
    with_task = DemoManifest(
        SCHEMA, 2, 1, 30, {"name": "reach"}, "arm", session_id(0), "2025-01-31T12:00:00Z", "scripted"
    )
    assert not is_demo_set(tmp_path)
    write_manifest(tmp_path, with_task)
    assert is_demo_set(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["expert"] == "scripted"
    assert read_manifest(tmp_path) == with_task


def test_the_mean_length_of_a_set_is_known_when_it_has_episodes(tmp_path):
    assert mean_steps(tmp_path) is None
    for episodes, steps, mean in ((0, 0, None), (4, 30, 7.5)):
        write_manifest(tmp_path, DemoManifest(SCHEMA, episodes, episodes, steps, {}, "arm", session_id(0), "", ""))
        assert mean_steps(tmp_path) == mean


def test_a_folder_without_a_manifest_is_named(tmp_path):
    with pytest.raises(DemoSetError, match=tmp_path.name):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 3}'])
def test_another_file_is_a_demo_set_error(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DemoSetError):
        read_manifest(tmp_path)


def test_episodes_successes_and_steps_are_counted_from_the_log(tmp_path):
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 0, 4)
    for step in range(3):
        writer.append(record(0, 1, step))
    writer.append(record(0, 1, 3, kind=Kind.FINAL, success=True))
    writer.close()
    assert count_episodes(LogReader(tmp_path)) == (2, 1, 7)
