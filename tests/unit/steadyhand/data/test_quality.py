"""Each warning, with a twin that differs in the one thing and gives none."""

import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.data.quality import read_quality
from steadyhand.data.set_warnings import warning_lines
from steadyhand.transport.demo_writer import DemoSetWriter
from steadyhand.transport.log import LogReader, LogWriter
from tests.unit.steadyhand.data.data_kit import TASK, arrays, refused, schema, vector, view, write_set


def warnings(folder):
    return warning_lines(read_quality(folder))


def write(folder, episodes, of=None):
    of = of or schema()
    with DemoSetWriter(folder, of, dict(TASK), "me") as out:
        for values in episodes:
            out.add_episode(**values)
    return folder


def episodes(count=4, steps=8, **changes):
    rng = np.random.default_rng(0)
    return [arrays(schema(), steps, rng, **changes) for _ in range(count)]


def test_a_sound_set_has_no_warning(tmp_path):
    assert warnings(write(tmp_path / "demos", episodes())) == []


def test_no_success(tmp_path):
    failed = episodes(success=False, terminated=False)
    assert warnings(write(tmp_path / "none", failed)) == [
        "no episode is marked as a success, so none is imitated; mark them: `data relabel`"
    ]
    assert warnings(write(tmp_path / "one", [*failed, *episodes(5)[4:]])) == []


def test_a_stuck_axis(tmp_path):
    values = episodes()
    for one in values:
        one["actions"][:, 1] = 0.25
    (line,) = warnings(write(tmp_path / "stuck", values))
    assert line.startswith("action axis 1 is always 0.25")
    values[0]["actions"][0, 1] = 0.26
    assert warnings(write(tmp_path / "moves", values)) == []


@pytest.mark.parametrize(("at_limit", "told"), [(3, 1), (1, 0)])
def test_a_saturated_axis(tmp_path, at_limit, told):
    values = episodes(steps=10)
    for one in values:
        one["actions"][:at_limit, 0] = -1.0
    lines = warnings(write(tmp_path / "demos", values))
    assert len(lines) == told
    assert all("axis 0 is at its limit in 30 % of the steps" in line for line in lines)


def test_a_gripper_that_only_switches_is_not_saturated(tmp_path):
    values = episodes()
    for one in values:
        one["actions"][:, 1] = np.sign(one["actions"][:, 1])
    assert warnings(write(tmp_path / "demos", values)) == []


@pytest.mark.parametrize(("moves", "told"), [(True, 1), (False, 0)])
def test_frozen_frames_count_while_the_robot_moves(tmp_path, moves, told):
    values = episodes()
    frames = values[2]["observations"]
    frames["wrist"][2:8] = frames["wrist"][2]
    if not moves:
        frames["pose"][2:8] = frames["pose"][2]
    lines = warnings(write(tmp_path / "demos", values))
    assert len(lines) == told
    assert all(
        line.startswith("wrist shows the same frame for up to 5 steps") and "episodes 2;" in line for line in lines
    )


def test_a_slow_camera_is_not_frozen(tmp_path):
    values = episodes()
    for one in values:
        one["observations"]["wrist"][1::2] = one["observations"]["wrist"][:-1:2]
    assert warnings(write(tmp_path / "demos", values)) == []


def test_the_same_recording_twice(tmp_path):
    values = episodes()
    (line,) = warnings(write(tmp_path / "demos", [*values, values[1]]))
    assert line.startswith("episodes 1, 4 are the same recording")


@pytest.mark.parametrize(("steps", "told"), [(80, 1), (40, 0)])
def test_one_demonstration_ten_times_as_long(tmp_path, steps, told):
    lines = warnings(write(tmp_path / "demos", [*episodes(), *episodes(1, steps)]))
    assert len(lines) == told
    assert all(line.startswith("episode 4 has 80 steps, and the median is 8") for line in lines)


def rewritten(source, target, change):
    """Copy a log record by record, which may then hold what a writer of demonstrations refuses."""
    reader = LogReader(source)
    writer = LogWriter(target, reader.schema, reader.actor_id, "ab" * 16, 1 << 22)
    for row, record in enumerate(reader.read(0, len(reader)).copy()):
        change(row, record)
        writer.append(record)
    writer.close()
    reader.close()
    return target


def test_nan(tmp_path):
    demos = write(tmp_path / "demos", episodes())

    def spoil(row, record):
        if row in (2, 3):
            record["observation/pose"][1] = np.nan

    (line,) = warnings(rewritten(demos, tmp_path / "nan", spoil))
    assert line.startswith("NaN or infinity in 2 steps of episodes 0;")
    assert warnings(rewritten(demos, tmp_path / "same", lambda row, record: None)) == []


@pytest.mark.parametrize(("factor", "told"), [(1.3, 1), (1.05, 0)])
def test_another_period(tmp_path, factor, told):
    demos = write(tmp_path / "demos", episodes())

    def slow(row, record):
        record["stamp_ns"] = int(record["stamp_ns"] * factor)

    lines = warnings(rewritten(demos, tmp_path / "slow", slow))
    assert len(lines) == told
    assert all("is 0.1 s, and the median time between steps is 0.13 s" in line for line in lines)


def test_the_page_holds_everything_and_nothing_from_outside(tmp_path, capsys):
    demos = write_set(tmp_path / "demos<b>", schema(vector(), view()), failures=(0, 1, 2))
    assert main(["inspect", str(demos), "--plots", str(tmp_path / "page.html")]) == 0
    assert "warning: no episode is marked" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text()
    assert "demos&lt;b&gt;" in page
    assert "<b>'" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    for text in (
        "no episode is marked as a success",
        "Trajectory quality, TQ",
        "SACo",
        "Action, axis 1",
        "Frozen frames",
    ):
        assert text in page


def test_one_set_a_page(tmp_path, capsys):
    for name in "ab":
        write_set(tmp_path / name)
    assert "expected one set" in refused(capsys, "inspect", tmp_path, "--plots", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_show_warns_without_a_page(tmp_path, capsys):
    assert main(["data", "show", str(write_set(tmp_path / "demos", failures=(0, 1, 2)))]) == 0
    assert "warning: no episode is marked" in capsys.readouterr().out
