"""F11: the addresses, files and threads of a learner with keys, and of one without."""

import gc
import os
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from steadyhand.transport import keys
from steadyhand.transport.keys import KeysError
from steadyhand.transport.log import LogReader
from steadyhand.transport.socket_thread import InsecureAddressError
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import CLOCK, CONFIG, hello, intake_in, make_machine, reaching, wait_until, writer_in


def listening() -> set[str]:
    """Return the addresses at which this process listens, as the kernel writes them."""
    own = {os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


def test_a_learner_listens_at_two_ports_and_no_other(tmp_path):
    before, config = listening(), make_machine(tmp_path / "gpu")
    with closing(ZmqServer(intake_in(tmp_path / "learner", config=config), config)) as server:
        ports = {int(address.rpartition(":")[2]) for address in (server.address, server.weights_address)}
        found = listening() - before
        assert {int(address.rpartition(":")[2], 16) for address in found} == ports
        assert all(address.startswith("0100007F:") for address in found)


def test_up_and_down_with_keys_leaks_neither_files_nor_threads(world, tmp_path):
    def cycle() -> None:
        config = world.learner
        with (
            closing(ZmqServer(intake_in(tmp_path / "learner2", config=config), config)) as server,
            closing(ZmqUplink(reaching(world.arm, server), LogReader(tmp_path / "log"))) as uplink,
            closing(server.intake),
        ):
            uplink.connect(hello(), 10.0)

    with closing(writer_in(tmp_path / "log")):
        pass
    cycle()
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(10):
        cycle()
        gc.collect()
    # ZeroMQ's own threads close files a moment later. Two more may be the process's own; a leak would be ten.
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= files + 2)
    wait_until(lambda: threading.active_count() <= threads)


@pytest.mark.realtime
def test_a_learner_with_keys_stops_within_two_seconds(world):
    uplink = world.uplink(world.arm)
    uplink.connect(hello(), 10.0)
    began = CLOCK.now_ns()
    uplink.close()
    world.server.close()
    assert CLOCK.now_ns() - began < 2e9


def test_only_keys_make_an_address_of_other_machines_usable(tmp_path):
    everywhere = {"address": "tcp://0.0.0.0:0", "weights_address": "tcp://0.0.0.0:0"}
    for change in ({"address": "tcp://0.0.0.0:0"}, {"weights_address": "tcp://0.0.0.0:0"}):
        with pytest.raises(InsecureAddressError, match="without keys only loopback"):
            ZmqServer(intake_in(tmp_path / "learner"), replace(CONFIG, **change))
    with pytest.raises(KeysError, match="steadyhand keys make"):
        ZmqServer(intake_in(tmp_path / "learner"), replace(CONFIG, keys=str(tmp_path / "none"), **everywhere))
    config = replace(make_machine(tmp_path / "gpu"), **everywhere)
    with closing(ZmqServer(intake_in(tmp_path / "learner"), config)) as server:
        assert server.address.startswith("tcp://0.0.0.0:")


def test_an_actor_sends_nothing_to_another_machine_without_keys(tmp_path):
    writer_in(tmp_path / "log").close()
    for change in ({"address": "tcp://10.0.0.7:5555"}, {"weights_address": "tcp://10.0.0.7:5556"}):
        with pytest.raises(InsecureAddressError, match="without keys only loopback"):
            ZmqUplink(replace(CONFIG, **change), LogReader(tmp_path / "log"))
    machine = make_machine(tmp_path / "arm")
    with pytest.raises(KeysError, match="keys pair learner"):
        ZmqUplink(machine, LogReader(tmp_path / "log"))


def test_keys_that_others_can_read_are_not_used(tmp_path):
    config = make_machine(tmp_path / "gpu")
    keys.secret_file(config.keys_folder).chmod(0o644)
    with pytest.raises(KeysError, match="0600"):
        ZmqServer(intake_in(tmp_path / "learner"), config)
