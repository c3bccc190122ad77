from dataclasses import replace

import numpy as np
import pytest
import torch

from steadyhand.learner.algos.algorithm import Sampling
from steadyhand.learner.replay.features import FeatureCache
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.policies import InputSpec
from steadyhand.transport.record import Phase
from tests.encoder_kit import TinyBackbone
from tests.unit.learner.logs import PIXELS, SIDE, reader_of, write_episode, writer_in

PIXEL_INPUTS = (InputSpec("state", (3,), "float32"), InputSpec("side", SIDE.shape, "uint8"))


@pytest.fixture
def make_store(tmp_path):
    """A store over a demo session and an online session."""
    writers = []

    def make(schema=None, demos=3, online=3):
        for number, phase, episodes in ((0, Phase.DEMO, demos), (1, Phase.TRAIN, online)):
            writer = writer_in(tmp_path / str(len(writers)), number, **({"schema": schema} if schema else {}))
            writers.append(writer)
            for episode in range(episodes):
                human = (1,) if phase == Phase.TRAIN and episode == 1 else ()
                write_episode(writer, episode, 4 + episode, phase=phase, session=number, human=human)
        store = ReplayStore(capacity=1000)
        store.advance(store.refresh(reader_of(writer) for writer in writers[-2:]))
        return store

    yield make
    for writer in writers:
        writer.close()


@pytest.fixture
def make_sampler(make_spec):
    def make(store, **changes):
        others = {name: changes.pop(name) for name in ("seed", "features") if name in changes}
        spec = make_spec(obs_horizon=changes.pop("obs_horizon", 1))
        spec = changes.pop("spec", spec)
        sampling = replace(Sampling(8, 1, 0.5, 1, 0.9, 0), **changes)
        return Sampler(store, spec, sampling, **({"seed": 3} | others))

    return make


def equal(one, other):
    for name, value in one.items():
        if isinstance(value, dict):
            equal(value, other[name])
        else:
            np.testing.assert_array_equal(value, other[name])


@pytest.mark.parametrize("ratio", [0.5, 0.25, 0.3])
def test_every_slice_keeps_its_demo_ratio(make_store, make_sampler, ratio):
    sampler = make_sampler(make_store(online=1), batch_size=16, demo_ratio=ratio)  # no person in online rows
    per_slice = sampler.sample(20, 40)["is_demo"].reshape(40, 16).sum(axis=1)
    assert set(per_slice) <= {int(16 * ratio), int(np.ceil(16 * ratio))}
    assert abs(per_slice.sum() - 40 * 16 * ratio) <= 1


def test_half_and_half_is_exact_in_every_slice(make_store, make_sampler):
    block = make_sampler(make_store(online=1)).sample(0, 20)
    assert (block["is_demo"].reshape(20, 8).sum(axis=1) == 4).all()


def test_rows_belong_together(make_store, make_sampler):
    block = make_sampler(make_store(), obs_horizon=2).sample(0, 30)
    state, following = block["observation"]["state"], block["next_observation"]["state"]
    assert state.shape == following.shape == (240, 2, 3)
    assert state.dtype == block["action"].dtype == block["reward"].dtype == block["discount"].dtype == np.float32
    session, episode, step = state[:, -1].T
    np.testing.assert_array_equal(following[:, -1], np.stack([session, episode, step + 1], axis=1))
    np.testing.assert_array_equal(following[:, 0], state[:, 1])
    np.testing.assert_array_equal(state[:, 0, 2], np.maximum(step - 1, 0))
    np.testing.assert_allclose(block["action"][:, 1], np.tanh(0.05 * step - 0.2), rtol=1e-5)
    last = step == 3 + episode
    assert last.any()
    np.testing.assert_array_equal(block["reward"], last)
    np.testing.assert_allclose(block["discount"], np.where(last, 0.0, 0.9), rtol=1e-6)
    human = (session == 1) & (episode == 1) & (step == 1)
    np.testing.assert_array_equal(block["is_demo"], (session == 0) | human)
    np.testing.assert_array_equal(block["is_correction"], human)


def test_the_policys_value_is_cut_where_a_person_takes_over(make_store, make_sampler):
    block = make_sampler(make_store(), takeover_value=0.25).sample(0, 30)
    session, episode, step = block["observation"]["state"][:, -1].T
    before = (session == 1) & (episode == 1) & (step == 0)
    assert before.any()
    np.testing.assert_allclose(
        block["discount"], np.where(step == 3 + episode, 0.0, np.where(before, 0.225, 0.9)), rtol=1e-6
    )


def test_frames_come_with_their_vectors(make_store, make_sampler, make_spec):
    inputs = (InputSpec("state", (3,), "float32"), InputSpec("side", SIDE.shape, "uint8"))
    spec = replace(make_spec(pixels=True, obs_horizon=2), inputs=inputs)
    block = make_sampler(make_store(PIXELS), spec=spec).sample(0, 4)
    frames = block["observation"]["side"]
    assert frames.dtype == np.uint8
    assert frames.shape == (32, 2, *SIDE.shape)
    expected = block["observation"]["state"] @ [0, 10, 1]
    np.testing.assert_array_equal(frames[:, :, 5, 7, 1], expected)


def test_a_block_is_a_function_of_seed_update_and_watermark(make_store, make_sampler):
    store = make_store()
    equal(make_sampler(store).sample(7, 4), make_sampler(store).sample(7, 4))
    for other in (make_sampler(store, seed=4).sample(7, 4), make_sampler(store).sample(8, 4)):
        assert not np.array_equal(
            make_sampler(store).sample(7, 4)["observation"]["state"], other["observation"]["state"]
        )


def test_records_that_are_not_visible_do_not_count(tmp_path, make_sampler):
    writer = writer_in(tmp_path / "growing")
    write_episode(writer, 0, 5)
    store = ReplayStore(capacity=100)
    reader = reader_of(writer)
    store.advance(store.refresh([reader]))
    before = make_sampler(store).sample(3, 2)
    write_episode(writer, 1, 50)
    store.refresh([reader])
    equal(before, make_sampler(store).sample(3, 2))
    writer.close()


@pytest.mark.parametrize(("demos", "online", "is_demo"), [(0, 1, False), (2, 0, True)])
def test_an_empty_index_leaves_the_batch_to_the_other(make_store, make_sampler, demos, online, is_demo):
    block = make_sampler(make_store(demos=demos, online=online)).sample(0, 5)
    assert (block["is_demo"] == is_demo).all()


def test_offline_ignores_the_ratio(make_store, make_sampler):
    assert make_sampler(make_store(), demo_ratio=0.0).sample(0, 5, offline=True)["is_demo"].all()


def test_every_start_is_drawn(make_store, make_sampler):
    store = make_store()
    block = make_sampler(store).sample(0, 100)
    drawn = {tuple(row) for row in block["observation"]["state"][:, -1].tolist()}
    assert len(drawn) == 30


def test_nothing_to_sample_is_refused(make_sampler):
    with pytest.raises(ValueError, match="at least one start"):
        make_sampler(ReplayStore(capacity=10)).sample(0, 1)


@pytest.fixture
def make_features(tmp_path):
    caches = []

    def make(shift=2, folder="features"):
        caches.append(FeatureCache(tmp_path / folder, TinyBackbone(), PIXEL_INPUTS, views=3, shift=shift))
        return caches[-1]

    yield make
    for cache in caches:
        cache.close()


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_block_of_features_is_a_function_of_seed_and_update_however_much_is_cached(
    make_store, make_sampler, make_spec, make_features, horizon
):
    store = make_store(schema=PIXELS)
    spec = replace(make_spec(True, obs_horizon=horizon), inputs=PIXEL_INPUTS)
    empty, warm = make_features(folder="empty"), make_features(folder="warm")
    sampler = make_sampler(store, spec=spec, features=warm)
    for update in range(5):
        sampler.sample(update, 2)
    blocks = [make_sampler(store, spec=spec, features=cache).sample(9, 2) for cache in (empty, warm)]
    equal(*blocks)
    maps = blocks[0]["observation"]["side"]
    assert (maps.shape, maps.dtype) == ((16, horizon, 4, 4, 4), np.float16)
    plain = make_sampler(store, spec=spec).sample(9, 2)  # the same rows, with their frames
    for name in ("action", "reward", "discount", "is_demo"):
        np.testing.assert_array_equal(plain[name], blocks[0][name])


def test_without_a_shift_the_features_of_a_block_are_those_of_its_frames(
    make_store, make_sampler, make_spec, make_features
):
    store, cache = make_store(schema=PIXELS), make_features(shift=0)
    spec = replace(make_spec(True, obs_horizon=2), inputs=PIXEL_INPUTS)
    maps, frames = (make_sampler(store, spec=spec, features=one).sample(4, 2) for one in (cache, None))
    for name in ("observation", "next_observation"):
        fresh = cache._backbone(torch.from_numpy(frames[name]["side"])).numpy()
        np.testing.assert_allclose(maps[name]["side"], fresh, rtol=1e-3, atol=1e-2)
        np.testing.assert_array_equal(maps[name]["state"], frames[name]["state"])
