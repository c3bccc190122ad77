import pytest

from steadyhand.doctor import Level
from steadyhand.doctor.keys import check_addresses, check_own_keys, check_pairing
from steadyhand.transport import keys
from tests.unit.steadyhand.doctor.kit import config


@pytest.fixture
def folder(tmp_path):
    keys.make_keys(tmp_path / "keys", "arm")
    return tmp_path / "keys"


def between_machines(folder):
    return config("transport=network", "transport.host=10.0.0.7", f"transport.keys={folder}")


def test_a_link_within_one_machine_needs_no_keys():
    assert check_addresses(config()).level is Level.OK
    assert check_own_keys(config()) is None
    assert check_pairing(config()) is None


def test_another_machine_without_keys_is_broken():
    found = check_addresses(config("transport.address=tcp://10.0.0.7:5555"))
    assert found.level is Level.BROKEN
    assert "transport=network" in found.mend


def test_missing_keys_are_broken(tmp_path):
    found = check_own_keys(between_machines(tmp_path / "none"))
    assert found.level is Level.BROKEN
    assert "steadyhand keys make" in found.mend


def test_keys_that_others_can_read_are_broken(folder):
    assert check_addresses(between_machines(folder)).level is Level.OK
    found = check_own_keys(between_machines(folder))
    assert found.level is Level.OK
    assert keys.fingerprint(keys.own_keys(folder).public) in found.found
    keys.secret_file(folder).chmod(0o644)
    found = check_own_keys(between_machines(folder))
    assert found.level is Level.BROKEN
    assert "0600" in found.found


def test_nobody_paired_is_noted_and_who_is_paired_is_said(folder):
    own = keys.own_keys(folder).public
    assert check_pairing(between_machines(folder)).level is Level.NOTE
    keys.pair_actor(folder, "arm", own)
    assert "actors arm" in check_pairing(between_machines(folder)).found
    keys.pair_learner(folder, own)
    assert keys.fingerprint(own) in check_pairing(between_machines(folder)).found
    (folder / "learner.key").write_text("damaged")
    assert check_pairing(between_machines(folder)).level is Level.BROKEN
