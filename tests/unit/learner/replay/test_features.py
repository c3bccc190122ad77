import errno
import os

import numpy as np
import pytest
import torch

from steadyhand.learner.replay.features import FeatureCache
from steadyhand.policies import InputSpec
from steadyhand.transport.record import record_dtype
from tests.encoder_kit import TinyBackbone
from tests.unit.learner.logs import PIXELS, reader_of, writer_in

SIDE = InputSpec("side", (32, 32, 3), "uint8")
VIEWS, SHIFT = 3, 2
RECORDS = 6  # the first three of one episode, the others of the next, all with the same frame
FRAME = np.random.default_rng(0).integers(0, 256, SIDE.shape, np.uint8)


@pytest.fixture
def reader(tmp_path):
    writer = writer_in(tmp_path / "log", 1, PIXELS)
    for index in range(RECORDS):
        row = np.zeros((), record_dtype(PIXELS))
        row["episode_id"], row["valid"], row["observation/side"] = index // 3, True, FRAME
        writer.append(row)
    reader = reader_of(writer)
    yield reader
    reader.close()
    writer.close()


@pytest.fixture
def make_cache(tmp_path):
    caches = []

    def make(backbone=None, views=VIEWS, shift=SHIFT):
        inputs = (InputSpec("state", (3,), "float32"), SIDE)
        caches.append(FeatureCache(tmp_path / "features", backbone or TinyBackbone(), inputs, views, shift))
        return caches[-1]

    yield make
    for cache in caches:
        cache.close()


def gather(cache, reader, rows, views):
    rows, views = np.asarray(rows), np.asarray(views)
    return cache.gather(reader, rows, reader.gather(rows, "seq"), views)["side"]


def everything(cache, reader):
    places = np.mgrid[:RECORDS, : cache.views].reshape(2, -1)
    return gather(cache, reader, *places)


def test_cached_features_are_fresh_features_of_a_shifted_frame(make_cache, reader):
    backbone = TinyBackbone()
    cache = make_cache(backbone)
    fresh = everything(cache, reader)
    np.testing.assert_array_equal(everything(cache, reader), fresh)
    padded = np.pad(FRAME, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "edge")
    places = range(2 * SHIFT + 1)
    shifted = np.stack([padded[down : down + 32, right : right + 32] for down in places for right in places])
    candidates = backbone(torch.from_numpy(shifted)[:, None])[:, 0].half().numpy()
    used = set()
    for maps in fresh:
        errors = np.abs(candidates.astype(np.float32) - maps.astype(np.float32)).max(axis=(1, 2, 3))
        assert errors.min() < 1e-2  # half precision
        used.add(int(errors.argmin()))
    assert len(used) > 3


def test_a_frame_is_encoded_once_whoever_asks(make_cache, reader):
    backbone = TinyBackbone()
    cache = make_cache(backbone)
    before = backbone.images
    gather(cache, reader, [2, 2, 4], [0, 1, 2])
    assert backbone.images - before == 2 * VIEWS
    everything(cache, reader)
    everything(cache, reader)
    assert backbone.images - before == RECORDS * VIEWS


def test_the_frames_of_an_episode_move_together_in_one_view(make_cache, reader):
    maps = everything(make_cache(), reader).reshape(RECORDS, VIEWS, -1)
    np.testing.assert_array_equal(maps[0], maps[2])
    np.testing.assert_array_equal(maps[3], maps[5])
    assert not np.array_equal(maps[0], maps[3])


def test_a_restart_finds_the_features_and_they_are_the_same_to_the_bit(make_cache, reader):
    first = everything(make_cache(), reader)
    backbone = TinyBackbone()
    cache = make_cache(backbone)
    before = backbone.images
    np.testing.assert_array_equal(everything(cache, reader), first)
    assert backbone.images == before


@pytest.mark.parametrize("change", [{"backbone": TinyBackbone(1)}, {"views": VIEWS + 1}, {"shift": SHIFT + 1}])
def test_another_encoder_or_other_views_have_a_file_of_their_own(make_cache, reader, tmp_path, change):
    everything(make_cache(), reader)
    other = make_cache(**change)
    before = other._backbone.images
    everything(other, reader)
    assert other._backbone.images - before == RECORDS * other.views
    assert len(list((tmp_path / "features").glob("*/*.bin"))) == 2


def test_without_a_shift_there_is_one_view_and_it_is_the_frame(make_cache, reader):
    backbone = TinyBackbone()
    cache = make_cache(backbone, shift=0)
    assert cache.views == 1
    expected = backbone(torch.from_numpy(FRAME)[None, None])[0, 0].half().numpy()
    np.testing.assert_array_equal(gather(cache, reader, [4], [0])[0], expected)


def test_a_full_disk_costs_time_and_nothing_else(make_cache, reader, monkeypatch, caplog):
    expected = everything(make_cache(), reader)
    backbone = TinyBackbone(1)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    cache = make_cache(backbone)
    before = backbone.images
    maps = [everything(cache, reader) for _ in range(2)]
    np.testing.assert_array_equal(*maps)
    assert not np.array_equal(maps[0], expected)  # other weights
    assert backbone.images - before == 2 * RECORDS * VIEWS
    assert [record.message for record in caplog.records if "no space left" in record.message][1:] == []
    assert "training goes on" in caplog.text
