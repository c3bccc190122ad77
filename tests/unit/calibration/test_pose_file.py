import json

import numpy as np
import pytest

from steadyhand.calibration.pose_file import read_poses
from steadyhand.runtime.calibration_file import CalibrationError

POSE = [0.4, -0.1, 0.3, 0.0, 0.6, 0.0, 0.8]
HEAD = "x,y,z,qx,qy,qz,qw"


def file(folder, text, name="poses.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_csv_with_and_without_pictures(tmp_path):
    row = ",".join(map(str, POSE))
    poses, names = read_poses(file(tmp_path, f"{HEAD}\n{row}\n{row}\n"))
    assert poses.tolist() == [POSE, POSE]
    assert names is None
    _, names = read_poses(file(tmp_path, f"picture, {HEAD}\nb.png,{row}\na.png,{row}\n"))
    assert names == ["b.png", "a.png"]


def test_json_of_poses_and_of_matrices(tmp_path):
    turned = [[0.0, -1.0, 0.0, 0.1], [1.0, 0.0, 0.0, 0.2], [0.0, 0.0, 1.0, 0.3], [0.0, 0.0, 0.0, 1.0]]
    text = json.dumps([{"pose": POSE, "picture": "a.png"}, {"pose": turned, "picture": "b.png"}])
    poses, names = read_poses(file(tmp_path, text, "poses.json"))
    assert poses[1] == pytest.approx([0.1, 0.2, 0.3, 0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])
    assert names == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("p.csv", "a,b\n1,2\n", "expected a CSV file with the columns"),
        ("p.csv", f"{HEAD}\n", "found no pose"),
        ("p.csv", f"{HEAD}\n1,2,3,0,0,0,zero\n", "found another content"),
        (
            "p.csv",
            f"{HEAD}\n1,2,3,0.1,0.2,0.3,0.4\n",
            r"pose 1: expected a unit quaternion xyzw, found one of length 0\.",
        ),
        ("p.csv", f"{HEAD}\n1,2,nan,0,0,0,1\n", "pose 1: expected finite numbers"),
        ("p.json", "{}", "found another content"),
        ("p.json", "[[1, 2]]", r"pose 1: expected 7 numbers or a 4 x 4 matrix, found shape \(2,\)"),
        ("p.json", "[[[-1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]]", "expected a rotation matrix with determinant 1"),
        ("p.json", "[[[2,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]]", "expected a rotation matrix with determinant 1"),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path, name, text, expected):
    with pytest.raises(CalibrationError, match=expected) as refused:
        read_poses(file(tmp_path, text, name))
    assert "\n" not in str(refused.value)


def test_no_file_and_no_text_are_refused(tmp_path):
    with pytest.raises(CalibrationError, match="No such file"):
        read_poses(tmp_path / "gone.csv")
    (tmp_path / "raw.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(CalibrationError, match="no UTF-8 text"):
        read_poses(tmp_path / "raw.csv")
