"""Steps and checks that do not fit together are refused in one line."""

import pytest

from steadyhand.robot_envs.profile_steps import Check, Step
from steadyhand.runtime.build import ConfigError, build


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"kind": "service", "name": "a"}, "expected type: package/srv/Type"),
        ({"kind": "service", "name": "a", "type": "std_srvs/SetBool", "expect": {"success": True}}, "package/srv/Type"),
        ({"kind": "service", "name": "a", "type": "std_srvs/srv/SetBool"}, "expect: fields of the answer"),
        ({"kind": "trigger", "name": "a", "request": {"data": True}}, "belong to kind service"),
        ({"kind": "switch_controller", "name": "a", "otherwise": "b"}, "otherwise belongs to kind trigger"),
        ({"kind": "trigger", "name": "a", "send_pose_first": True}, "belongs to kind switch_controller"),
    ],
)
def test_a_step_that_makes_no_sense(values, match):
    with pytest.raises(ConfigError, match=match):
        build(Step, values, "robot.profile.activate[0]")


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "parameter", "name": "a", "advice": "b"},
        {"kind": "parameter", "name": "a", "advice": "b", "parameter": "p"},
        {"kind": "subscribed", "name": "a", "advice": "b"},
        {"kind": "controller_active", "name": "a", "advice": "b", "by": "c"},
    ],
)
def test_a_check_that_makes_no_sense(values):
    with pytest.raises(ConfigError, match="parameter and value belong to kind parameter and by to kind subscribed"):
        build(Check, values, "robot.profile.checks[0]")


def test_what_the_profiles_write():
    step = build(
        Step,
        {"kind": "service", "name": "a", "type": "std_srvs/srv/SetBool", "expect": {"success": True}, "once": True},
        "",
    )
    assert step.once
    assert not step.send_pose_first
    assert build(Check, {"kind": "parameter", "name": "a", "parameter": "p", "value": True, "advice": "b"}, "").value
