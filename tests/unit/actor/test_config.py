import pytest

from steadyhand.actor.config import ActorConfig, ExplorationConfig, GraduationConfig, LoggingConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose


def composed(group: str, *overrides: str) -> dict:
    return compose(overrides, f"{group}/default")[group]


def test_the_default_files_fit_the_dataclasses():
    actor = build(ActorConfig, composed("actor"), "actor")
    assert actor.graduation is not None
    assert actor.success_window == 20
    assert actor.lockstep
    assert build(LoggingConfig, composed("logging"), "logging").console == "auto"


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("actor.max_env_steps=0", "max_env_steps"),
        ("actor.max_wall_s=-1.0", "max_wall_s"),
        ("actor.uplink_timeout_s=0.0", "uplink_timeout_s"),
        ("actor.drain_s=-0.1", "drain_s"),
        ("actor.max_policy_age_s=0.0", "max_policy_age_s"),
        ("actor.release_hold_s=-1.0", "release_hold_s"),
        ("actor.takeover_ramp_s=-1.0", "takeover_ramp_s"),
        ("actor.hand_back_ramp_s=.inf", "hand_back_ramp_s"),
        ("actor.success_window=0", "success_window"),
        ("actor.graduation.window=0", "window"),
        ("actor.graduation.success=1.5", "success"),
        ("actor.graduation.intervention_share=-0.1", "intervention_share"),
        ("actor.exploration.scale=2.0", "scale"),
        ("actor.id=Left", "id"),
        ("actor.id='../x'", "id"),
        ("actor.id=a.b", "id"),
        ("actor.id=''", "id"),
        (f"actor.id={'a' * 33}", "id"),
    ],
)
def test_a_senseless_number_is_refused_by_name(override, found):
    with pytest.raises(ConfigError, match=f"actor.*{found}: expected"):
        build(ActorConfig, composed("actor", override), "actor")


def test_an_unknown_console_names_the_valid_ones():
    with pytest.raises(ConfigError, match=r"logging\.console: expected one of auto, live, plain, off"):
        build(LoggingConfig, composed("logging", "logging.console=fancy"), "logging")


def test_graduation_may_be_left_out():
    assert build(ActorConfig, composed("actor", "actor.graduation=null")).graduation is None


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="min_env_steps"):
        GraduationConfig(20, 0.9, 0.1, -1)
    with pytest.raises(ValueError, match="max_env_steps"):
        ExplorationConfig(-1, 0.5)
