import threading

from steadyhand.transport.syncer import Syncer
from tests.transport_kit import wait_until


def test_it_syncs_again_and_again_until_it_is_closed():
    calls = []
    syncer = Syncer(lambda: calls.append(threading.current_thread().name), 0.001)
    wait_until(lambda: len(calls) >= 3)
    syncer.close()
    done = len(calls)
    assert set(calls) == {"log sync"}
    assert not syncer._thread.is_alive()
    assert len(calls) == done


def test_a_disk_that_refuses_is_said_once_and_asked_again(caplog):
    refuses, calls = [True], []

    def sync():
        calls.append(1)
        if refuses:
            raise OSError(28, "No space left on device")

    syncer = Syncer(sync, 0.001)
    wait_until(lambda: len(calls) >= 3)
    assert isinstance(syncer.fault, OSError)
    refuses.clear()
    wait_until(lambda: syncer.fault is None)
    syncer.close()
    assert caplog.text.count("actors keep them") == 1
