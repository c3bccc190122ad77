from dataclasses import replace
from pathlib import Path

import pytest

from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose
from steadyhand.transport.config import TransportConfig
from tests.transport_kit import CONFIG


def test_the_shipped_settings_build():
    config = build(TransportConfig, compose([], config_module="configs", config_name="transport/local")["transport"])
    assert config.liveness_s == config.heartbeat_s * config.liveness_heartbeats
    assert config.window_records > 0


@pytest.mark.parametrize(
    "name", ["heartbeat_s", "window_records", "max_frame_bytes", "max_weights_bytes", "segment_bytes"]
)
def test_a_number_that_must_be_positive_is_refused(name):
    with pytest.raises(ValueError, match=name):
        replace(CONFIG, **{name: 0})


def test_a_backoff_that_shrinks_is_refused():
    with pytest.raises(ValueError, match="backoff_max_s"):
        replace(CONFIG, backoff_min_s=2.0, backoff_max_s=1.0)


def test_the_settings_for_two_machines_have_keys_and_one_host(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/lab/.config")
    values = compose(["transport=network", "transport.host=10.0.0.7"])["transport"]
    config = build(TransportConfig, values, "transport")
    assert config.keys_folder == Path("/home/lab/.config/steadyhand/keys")
    assert (config.address, config.weights_address) == ("tcp://10.0.0.7:5555", "tcp://10.0.0.7:5556")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    values = compose(["transport=network", "transport.host=10.0.0.7"])["transport"]
    assert build(TransportConfig, values).keys_folder == Path.home() / ".config/steadyhand/keys"


def test_without_a_folder_there_are_no_keys_and_an_empty_one_is_refused():
    assert CONFIG.keys_folder is None
    with pytest.raises(ValueError, match="keys: expected a folder"):
        replace(CONFIG, keys=" ")


def test_an_unknown_key_is_named():
    with pytest.raises(ConfigError, match="heartbeat_ms"):
        build(TransportConfig, {"heartbeat_ms": 1})


def test_the_firewall_line_of_the_documentation_opens_the_two_ports_and_no_other():
    transport = compose(["transport=network", "transport.host=10.0.0.7"])["transport"]
    ports = [transport[name].rpartition(":")[2] for name in ("address", "weights_address")]
    security = Path(__file__).resolve().parents[3] / "SECURITY.md"
    (line,) = [line for line in security.read_text(encoding="utf-8").splitlines() if "ufw allow" in line]
    assert line.endswith(f" port {','.join(ports)}")
    assert " from " in line
