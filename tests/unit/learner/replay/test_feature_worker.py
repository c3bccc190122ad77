import numpy as np
import pytest

from steadyhand.learner.replay.feature_worker import FeatureWorker
from steadyhand.learner.replay.features import FeatureCache
from steadyhand.policies import InputSpec
from steadyhand.transport.record import Phase
from tests.encoder_kit import TinyBackbone
from tests.transport_kit import wait_until
from tests.unit.learner.logs import PIXELS, reader_of, session_id, write_episode, writer_in

INPUTS = (InputSpec("side", (32, 32, 3), "uint8"),)


@pytest.fixture
def make_worker(tmp_path):
    closers = []

    def make(backbone):
        cache = FeatureCache(tmp_path / "features", backbone, INPUTS, views=2, shift=2)
        worker = FeatureWorker(cache)
        closers.extend([worker.close, cache.close])
        return worker, cache

    yield make
    for close in closers:
        close()


def test_records_are_encoded_as_they_arrive_except_those_of_an_evaluation(make_worker, tmp_path):
    worker, cache = make_worker(TinyBackbone())
    writers = [writer_in(tmp_path / str(number), number, PIXELS) for number in (1, 2)]
    readers = [reader_of(writer) for writer in writers]
    write_episode(writers[0], 0, 3)
    worker.tell(readers)
    wait_until(lambda: cache.claims(session_id(1), 3))
    write_episode(writers[0], 1, 3, phase=Phase.EVAL)
    write_episode(writers[0], 2, 3, phase=Phase.DEMO)
    write_episode(writers[1], 0, 3)
    worker.tell(readers)
    wait_until(lambda: cache.claims(session_id(1), 11) and cache.claims(session_id(2), 3))
    assert [cache.claims(session_id(1), seq) for seq in range(13)] == 4 * [True] + 4 * [False] + 4 * [True] + [False]
    before = cache._backbone.images
    rows = np.arange(4)
    cache.gather(readers[0], rows, rows, np.zeros(4, np.int64))
    assert cache._backbone.images == before  # all of it was there
    for one in (*readers, *writers):
        one.close()


def test_what_ends_the_thread_reaches_the_one_that_trains(make_worker, tmp_path):
    backbone = TinyBackbone()
    worker, _ = make_worker(backbone)
    backbone.maps = lambda images: 1 / 0
    writer = writer_in(tmp_path / "1", 1, PIXELS)
    write_episode(writer, 0, 3)
    reader = reader_of(writer)
    worker.tell([reader])
    wait_until(lambda: worker._failure is not None)
    with pytest.raises(ZeroDivisionError):
        worker.tell([reader])
    reader.close()
    writer.close()
