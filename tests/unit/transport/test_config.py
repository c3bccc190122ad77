from dataclasses import replace

import pytest

from runtime.config import ConfigError, build, compose
from tests.transport_kit import CONFIG
from transport.config import TransportConfig


def test_the_shipped_settings_build():
    config = build(TransportConfig, compose([], config_module="configs", config_name="transport/local")["transport"])
    assert config.liveness_s == config.heartbeat_s * config.liveness_heartbeats
    assert config.window_records > 0


@pytest.mark.parametrize("name", ["heartbeat_s", "window_records", "max_frame_bytes", "segment_bytes"])
def test_a_number_that_must_be_positive_is_refused(name):
    with pytest.raises(ValueError, match=name):
        replace(CONFIG, **{name: 0})


def test_a_backoff_that_shrinks_is_refused():
    with pytest.raises(ValueError, match="backoff_max_s"):
        replace(CONFIG, backoff_min_s=2.0, backoff_max_s=1.0)


def test_keys_are_refused_and_not_silently_ignored():
    with pytest.raises(ValueError, match="CURVE"):
        replace(CONFIG, keys="keys")


def test_an_unknown_key_is_named():
    with pytest.raises(ConfigError, match="heartbeat_ms"):
        build(TransportConfig, {"heartbeat_ms": 1})
