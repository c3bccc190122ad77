import numpy as np
import pytest

from benchmarks.recording import EPISODE_STEPS, make_schema, write_log
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.log import LogReader


@pytest.mark.parametrize("count", [60, 2500])
def test_every_record_is_there_and_episodes_hang_together(tmp_path, count):
    reader = LogReader(write_log(tmp_path, make_schema(), count, 1 << 18))
    rows = np.arange(len(reader))
    assert (len(reader), reader.next_seq) == (count, count)
    assert len(np.unique(reader.gather(rows, "episode_id"))) == -(-count // (EPISODE_STEPS + 1))
    store = ReplayStore(10**6)
    store.advance(store.refresh([reader]))
    whole, rest = divmod(count, EPISODE_STEPS + 1)
    assert len(store.online) == whole * EPISODE_STEPS + max(rest - 1, 0)
    reader.close()


def test_frames_are_noise_and_differ(tmp_path):
    reader = LogReader(write_log(tmp_path, make_schema(2, 32), 10, 1 << 20))
    frames = reader.gather(np.arange(10), "observation/side")
    assert frames.shape == (10, 32, 32, 3)
    assert len(np.unique(frames.reshape(10, -1), axis=0)) == 10
    reader.close()
