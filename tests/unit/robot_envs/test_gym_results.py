import numpy as np
import pytest

from steadyhand.robot_envs.foreign_code import ForeignCodeError
from steadyhand.robot_envs.gym_results import as_flag, as_number, as_reset, as_step, reported_success


@pytest.mark.parametrize("value", [1, 1.0, True, np.float32(1), np.array(1.0), np.array([1.0]), np.array([[1]]), [1]])
def test_one_number_in_any_clothes(value):
    assert as_number(value, "reward") == 1.0
    assert as_flag(value, "terminated") is True


def test_a_number_that_is_none_is_no_flag():
    assert np.isnan(as_number(np.nan, "reward"))
    assert as_flag(np.nan, "terminated") is False


@pytest.mark.parametrize("value", [None, "1", [1, 0], np.zeros((2,)), np.zeros(0), {"a": 1}, 1j])
def test_what_is_not_one_number_is_refused(value):
    with pytest.raises(ForeignCodeError, match="reward of the environment: expected one number"):
        as_number(value, "reward")


@pytest.mark.parametrize(
    ("info", "success"),
    [
        ({}, None),
        ({"success": None}, None),
        ({"success": False}, False),
        ({"success": 0.0}, False),
        ({"is_success": np.float32(1.0)}, True),
        ({"succeed": np.bool_(True)}, True),
        ({"success": np.array([True])}, True),
        ({"success": np.array([True, True])}, True),
        ({"success": np.array([True, False])}, False),
        ({"success": np.zeros(0)}, False),
        ({"success": np.nan}, False),
        ({"success": False, "is_success": True}, True),
    ],
)
def test_success_as_packages_report_it(info, success):
    assert reported_success(info) is success


@pytest.mark.parametrize("returned", [None, np.zeros(2), (np.zeros(2), 0.0, False, {}), (np.zeros(2), [])])
def test_an_older_interface_is_named(returned):
    with pytest.raises(ForeignCodeError, match="older gym package"):
        as_reset(returned)
    with pytest.raises(ForeignCodeError, match="older gym package"):
        as_step(returned)
