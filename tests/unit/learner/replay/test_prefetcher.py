import threading

import numpy as np
import pytest
import torch

from steadyhand.learner.replay.prefetcher import Prefetcher

CPU = torch.device("cpu")


class Numbers:
    """Blocks that say what was asked for, and on which thread."""

    def __init__(self):
        self.threads, self.may_draw = [], threading.Event()
        self.may_draw.set()

    def sample(self, update, slices, offline):
        assert self.may_draw.wait(10.0)
        self.threads.append(threading.current_thread().name)
        if update == 13:
            raise OSError("a log is gone")
        return {"observation": {"state": np.full(3, update, np.float32)}, "action": np.array([slices, offline])}


@pytest.fixture(params=[True, False], ids=["threaded", "in turn"])
def threaded(request):
    return request.param


@pytest.fixture
def make_prefetcher(threaded):
    made = []

    def make(sampler):
        made.append(Prefetcher(sampler, CPU, threaded))
        return made[-1]

    yield make
    for prefetcher in made:
        prefetcher.close()


def test_what_is_taken_is_what_was_asked_for(make_prefetcher, threaded):
    sampler = Numbers()
    prefetcher = make_prefetcher(sampler)
    for update in (4, 6):
        prefetcher.ask(update, 2, offline=True)
        block = prefetcher.take()
        assert block["observation"]["state"].tolist() == [update] * 3
        assert block["action"].tolist() == [2, 1]
    assert all(name.startswith("prefetch") == threaded for name in sampler.threads)


def test_a_thread_draws_before_anybody_takes():
    sampler = Numbers()
    prefetcher = Prefetcher(sampler, CPU)
    sampler.may_draw.clear()
    prefetcher.ask(1, 1, offline=False)  # does not wait
    assert not sampler.threads
    sampler.may_draw.set()
    prefetcher.close()
    assert len(sampler.threads) == 1
    assert prefetcher.take()["observation"]["state"][0] == 1


def test_an_error_reaches_whoever_takes_and_the_next_block_is_drawn(make_prefetcher):
    prefetcher = make_prefetcher(Numbers())
    prefetcher.ask(13, 1, offline=False)
    with pytest.raises(OSError, match="a log is gone"):
        prefetcher.take()
    prefetcher.ask(14, 1, offline=False)
    assert prefetcher.take()["observation"]["state"][0] == 14


def test_one_block_ahead_and_no_more(make_prefetcher):
    prefetcher = make_prefetcher(Numbers())
    with pytest.raises(ValueError, match="found none"):
        prefetcher.take()
    prefetcher.ask(1, 1, offline=False)
    with pytest.raises(ValueError, match="expected block 1 to be taken first, found 2"):
        prefetcher.ask(2, 1, offline=False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="pinned memory needs a CUDA device")
def test_blocks_for_cuda_lie_in_pinned_memory():
    prefetcher = Prefetcher(Numbers(), torch.device("cuda"))
    prefetcher.ask(1, 1, offline=False)
    block = prefetcher.take()
    assert block["observation"]["state"].is_pinned()
    prefetcher.close()
