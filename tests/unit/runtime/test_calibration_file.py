import hashlib
from pathlib import Path

import pytest
import yaml

from steadyhand.runtime.calibration_file import CalibrationError, read_calibration, write_calibration

SETS = {"safety.workspace_low_m": [0.3, -0.2, 0.01]}


def written(folder: Path, **changed) -> Path:
    content = {
        "belongs_to": {"robot.name": "fr3"},
        "sets": SETS,
        "values": {"corners_m": [[0.3, -0.2, 0.01], [0.6, 0.2, 0.3]]},
        "residuals": {"largest_gap_m": 0.001},
    }
    return write_calibration(folder, "workspace", "fr3", **(content | changed))


def test_a_file_is_read_as_it_was_written(tmp_path):
    found = read_calibration(written(tmp_path, png=b"picture"), "workspace", max_age_days=1.0)
    assert (found.kind, found.device, found.sets) == ("workspace", "fr3", SETS)
    assert found.belongs_to == {"robot.name": "fr3"}
    assert 0.0 <= found.age_days < 0.1
    picture = (tmp_path / found.picture.file).read_bytes()
    assert hashlib.sha256(picture).hexdigest() == found.picture.sha256


def test_a_device_that_is_no_file_name_stays_inside_the_folder(tmp_path):
    path = write_calibration(tmp_path, "crop", "../../a b", belongs_to={}, sets={}, values={}, residuals={})
    assert path.parent == tmp_path
    assert read_calibration(path).device == "../../a b"


@pytest.mark.parametrize("key", ["device", "made", "sets", "values", "residuals", "belongs_to", "picture"])
def test_an_edited_file_is_refused(tmp_path, key):
    path = written(tmp_path, png=b"picture")
    content = yaml.safe_load(path.read_text())
    edits = {"device": "ur5e", "made": "2020-01-01T00:00:00Z", "picture": None}
    content[key] = edits[key] if key in edits else {**content[key], "more": 1}
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CalibrationError, match=r"found an edited one; calibrate again"):
        read_calibration(path)


def test_a_file_that_contains_itself_is_refused(tmp_path):
    path = written(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["values"]["itself"] = content["values"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_an_old_file_and_one_of_another_kind_are_refused(tmp_path, monkeypatch):
    path = written(tmp_path)
    with pytest.raises(CalibrationError, match="expected kind hand_eye, found workspace"):
        read_calibration(path, "hand_eye")
    from steadyhand.runtime import calibration_file

    now = calibration_file.wall_time_ns()
    monkeypatch.setattr(calibration_file, "wall_time_ns", lambda: now + 91 * 86_400 * 10**9)
    with pytest.raises(CalibrationError, match="at most 90 days, found 91; calibrate again"):
        read_calibration(path, max_age_days=90.0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "no UTF-8 text"),
        (b"a: [", "no valid YAML"),
        (b"- 1", "no digest"),
        (b"kind: workspace", "no digest"),
        (b"!!python/object/apply:os.system [id]", "no valid YAML"),
        (b"digest: 0\nkind: workspace", "no digest"),
        (b"digest: '0'\nkind: workspace", "missing keys"),
        (b"x: " + b"1" * 1_000_001, "more than 1000000 bytes"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, content, expected):
    path = tmp_path / "other.yaml"
    path.write_bytes(content)
    with pytest.raises(CalibrationError, match=expected) as refused:
        read_calibration(path)
    assert "\n" not in str(refused.value)


def test_no_file_is_refused(tmp_path):
    with pytest.raises(CalibrationError, match="No such file"):
        read_calibration(tmp_path / "gone.yaml")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_a_value_that_cannot_be_kept_leaves_nothing_behind(tmp_path, value):
    with pytest.raises(CalibrationError, match="expected finite numbers"):
        written(tmp_path / "new", values={"x": value}, png=b"picture")
    assert not (tmp_path / "new").exists()
