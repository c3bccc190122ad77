import pytest

from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration, write_calibration
from steadyhand.runtime.config import compose
from steadyhand.settings import read_settings

LOW = [0.3, -0.2, 0.01]


def file(folder, sets, belongs_to=None):
    return write_calibration(
        folder, "workspace", "fr3", belongs_to=belongs_to or {}, sets=sets, values={}, residuals={}
    )


def test_a_file_gives_its_settings_and_is_named_in_the_configuration(tmp_path):
    path = file(tmp_path, {"safety.workspace_low_m": LOW}, {"robot.name": "mock_fr3"})
    composed = compose([f"calibration.files=[{path}]"])
    settings = read_settings(composed)
    assert settings.safety.workspace_low_m == tuple(LOW)
    (used,) = settings.calibration.used
    assert (used.file, used.kind, used.sha256) == (str(path), "workspace", read_calibration(path).digest)


def test_settings_that_follow_from_a_calibrated_one_follow(tmp_path):
    extent = {"low_m": [-0.02, -0.02, 0.0], "high_m": [0.02, 0.02, 0.05]}
    path = file(tmp_path, {"task.extent": extent})
    assert compose([f"calibration.files=[{path}]"])["safety"]["extent"] == extent
    assert compose([])["safety"]["extent"] != extent


def test_the_choice_of_a_group_is_no_override_of_its_values(tmp_path):
    extent = {"low_m": [-0.02, -0.02, 0.0], "high_m": [0.02, 0.02, 0.05]}
    path = file(tmp_path, {"task.extent": extent})
    assert compose(["task=reach", f"calibration.files=[{path}]"])["task"]["extent"] == extent


def test_without_files_nothing_changes():
    assert compose([])["calibration"]["used"] == []


def test_a_relative_path_is_looked_up_in_the_users_folder(tmp_path, monkeypatch):
    path = file(tmp_path / "calibrations", {"safety.workspace_low_m": LOW})
    monkeypatch.setenv("STEADYHAND_CONFIG", str(tmp_path))
    composed = compose([f"calibration.files=[calibrations/{path.name}]"])
    assert composed["safety"]["workspace_low_m"] == LOW


@pytest.mark.parametrize(
    ("sets", "belongs_to", "overrides", "expected"),
    [
        (
            {"safety.workspace_low_m": LOW},
            {"robot.name": "fr3"},
            [],
            "made with robot.name=fr3, found robot.name=mock_fr3",
        ),
        ({"safety.workspace_low_m": LOW}, {"camera.views.x.serial": "1"}, [], "found camera.views.x.serial=null"),
        ({"safety.workspace_low_m": LOW}, {}, ["safety.workspace_low_m=[0,0,0]"], "remove the override or the file"),
        ({"task.extent": {}}, {}, ["task.extent.low_m=[0,0,0]"], "remove the override or the file"),
        ({"camera.views.wrist.crop": {}}, {}, [], "gives camera.views.wrist.crop, which this configuration does not"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, sets, belongs_to, overrides, expected):
    path = file(tmp_path, sets, belongs_to)
    with pytest.raises(CalibrationError, match=expected) as refused:
        compose([f"calibration.files=[{path}]", *overrides])
    assert "\n" not in str(refused.value)


def test_two_files_that_give_one_setting_are_refused(tmp_path):
    one, two = (file(tmp_path / name, {"safety.workspace_low_m": LOW}) for name in "ab")
    with pytest.raises(CalibrationError, match=r"safety\.workspace_low_m: expected one file that gives it"):
        compose([f"calibration.files=[{one},{two}]"])


def test_a_setting_of_no_group_is_refused_where_the_group_is_built(tmp_path):
    path = file(tmp_path, {"safety.workspace_lowest_m": LOW})
    with pytest.raises(ConfigError, match="unknown key 'workspace_lowest_m'"):
        read_settings(compose([f"calibration.files=[{path}]"]))


@pytest.mark.parametrize("bad", ["calibration.files=5", "calibration.files=null", "calibration.max_age_days=null"])
def test_a_value_of_another_kind_is_refused_where_the_group_is_built(tmp_path, bad):
    path = file(tmp_path, {"safety.workspace_low_m": LOW})
    key = bad.partition("=")[0]
    words = [bad] if key == "calibration.files" else [f"calibration.files=[{path}]", bad]
    with pytest.raises(ConfigError, match=f"{key}: expected") as refused:
        read_settings(compose(words))
    assert "\n" not in str(refused.value)
