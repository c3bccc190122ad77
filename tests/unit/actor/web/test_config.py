import pytest

from steadyhand.actor.config import ActorConfig
from steadyhand.runtime.build import ConfigError, build
from tests.config_kit import composed


def test_the_page_is_off_by_default_and_on_loopback():
    web = build(ActorConfig, composed()["actor"], "actor").web
    assert not web.enabled
    assert web.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("actor.web.host=0.0.0.0", "one IP address of this machine"),
        ("actor.web.host=robot-pc", "one IP address of this machine"),
        ("actor.web.port=70000", "port"),
        ("actor.web.picture_hz=0", "picture_hz"),
        ("actor.web.lease_s=0", "lease_s"),
        ("actor.web.picture_quality=96", "picture_quality"),
    ],
)
def test_a_wrong_setting_is_named(override, expected):
    with pytest.raises(ConfigError, match=expected):
        build(ActorConfig, composed(override)["actor"], "actor")
