import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.robot_envs.gym_fields import ObservationError, SpaceError
from steadyhand.robot_envs.gym_spaces import observed_fields
from tests.unit.robot_envs.odd_envs import SIDE


def box(low, high, shape, dtype=np.float32):
    return spaces.Box(low, high, shape, dtype)


def only(space):
    (field,) = observed_fields(space)
    return field


@pytest.mark.parametrize("bounds", [(0, 1), (-1, 1), (0, 255)])
def test_a_picture_of_numbers_spans_the_bytes(bounds):
    low, high = bounds
    field = only(box(low, high, (SIDE, SIDE, 3)))
    picture = np.linspace(low, high, SIDE * SIDE * 3, dtype=np.float32).reshape(SIDE, SIDE, 3)
    read = field.read(picture)
    assert (read.dtype, read.shape) == (np.uint8, (SIDE, SIDE, 3))
    assert (read.min(), read.max()) == (0, 255)
    np.testing.assert_allclose(read / 255.0, (picture - low) / (high - low), atol=0.5 / 255 + 1e-6)


def test_channels_first_are_transposed_and_never_share_memory():
    field = only(box(0, 255, (3, SIDE, 40), np.uint8))
    picture = np.random.default_rng(0).integers(0, 256, (3, SIDE, 40)).astype(np.uint8)
    read = field.read(picture)
    np.testing.assert_array_equal(read, picture.transpose(1, 2, 0))
    assert not np.shares_memory(read, picture)


@pytest.mark.parametrize("shape", [(SIDE, 40), (SIDE, 40, 1), (1, SIDE, 40)])
def test_grey_is_repeated_to_three_channels(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    read = only(box(0, 255, shape, np.uint8)).read(picture)
    np.testing.assert_array_equal(read, np.repeat(picture.reshape(SIDE, 40, 1), 3, axis=2))


def test_a_buffer_that_the_environment_uses_again_is_copied():
    buffer = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture = only(box(0, 255, buffer.shape, np.uint8)).read(buffer)
    state = np.zeros(4, np.float32)
    vector = only(box(-1, 1, (4,))).read(state)
    buffer[:], state[:] = 7, 7
    assert not picture.any()
    assert not vector.any()


def test_discrete_values_are_one_hot():
    assert only(spaces.Discrete(3)).read(np.int64(2)).tolist() == [0, 0, 1]
    assert only(spaces.Discrete(3, start=-1)).read(-1).tolist() == [1, 0, 0]
    assert only(spaces.MultiDiscrete([2, 3])).read(np.array([1, 0])).tolist() == [0, 1, 1, 0, 0]
    assert only(spaces.MultiDiscrete([2, 2], start=[5, -1])).read([6, -1]).tolist() == [0, 1, 1, 0]
    assert only(spaces.MultiBinary((2, 2))).read(np.eye(2, dtype=np.int8)).tolist() == [1, 0, 0, 1]


def test_nested_names_are_joined_in_the_order_of_the_space():
    space = spaces.Dict(a=spaces.Dict(b=spaces.Discrete(2), c=spaces.Tuple((box(0, 1, (1,)), box(0, 1, (2,))))))
    fields = observed_fields(space)
    assert [field.name for field in fields] == ["a/b", "a/c/0", "a/c/1"]
    observation = {"a": {"b": 1, "c": (np.zeros(1), np.ones(2))}}
    assert [field.read(observation).tolist() for field in fields] == [[0, 1], [0], [1, 1]]


def test_numbers_of_every_type_become_a_float_vector():
    for dtype in (np.float64, np.int64, np.bool_, np.uint8, np.float16):
        read = only(box(0, 1, (2, 2), dtype)).read(np.ones((2, 2), dtype))
        assert (read.dtype, read.tolist()) == (np.float32, [1, 1, 1, 1])
    assert only(box(-1, 1, ())).read(0.5).tolist() == [0.5]
    assert only(box(-1, 1, (1,))).read(np.float64(0.5)).tolist() == [0.5]
    assert not np.isfinite(only(box(-np.inf, np.inf, (1,), np.float64)).read([1e300])).any()


def test_bounds_give_the_scale_and_infinite_ones_give_none():
    assert only(box(-8, 2, (2,))).reader.scale == (4.0, 4.0)
    assert only(box(-np.inf, 2, (2,))).reader.scale == ()
    assert only(box(0, 1, (9000,))).reader.scale == ()  # more than a schema holds


def test_only_what_is_beyond_the_bounds_strays():
    field = only(box(-1, 1, (2,)))
    assert not field.reader.strays(field.read([1.0005, -1.0]))
    assert field.reader.strays(field.read([1.1, 0.0]))
    assert not field.reader.strays(field.read([np.nan, 0.0]))  # another check's matter


@pytest.mark.parametrize(
    ("space", "value", "text"),
    [
        (box(0, 1, (SIDE, SIDE, 3)), np.full((SIDE, SIDE, 3), 200.0), r"within \[0, 1\].*from 200 to 200"),
        (box(0, 1, (SIDE, SIDE, 3)), np.full((SIDE, SIDE, 3), np.nan), r"within \[0, 1\]"),
        (box(0, 255, (SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 0.5), "picture of uint8.*found float64"),
        (box(0, 255, (SIDE, SIDE, 3), np.uint8), np.full((SIDE, SIDE, 3), 300), r"within \[0, 255\].*to 300"),
        (box(0, 255, (SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8), r"shape .*found \(32, 32\)"),
        (spaces.Discrete(3), 3, "within its space, found"),
        (spaces.Discrete(3), 0.5, "within its space, found"),
        (spaces.Discrete(3), np.nan, "within its space, found"),
        (spaces.Discrete(3), "two", "expected 1 whole numbers, found a str"),
        (spaces.MultiDiscrete([2, 2]), [1], "expected 2 whole numbers"),
        (spaces.Dict(a=box(0, 1, (2,))), {"b": 1}, "a: expected a dict with the key 'a', found the keys b"),
        (spaces.Dict(a=box(0, 1, (2,))), np.zeros(2), "a: expected a dict with the key 'a', found an array"),
        (spaces.Tuple((box(0, 1, (2,)),)), {"0": 1}, "state/0: expected a tuple with entry 0, found a dict"),
    ],
)
def test_an_observation_that_is_not_of_its_space_is_refused(space, value, text):
    with pytest.raises(ObservationError, match=text):
        only(space).read(value)


@pytest.mark.parametrize("space", [spaces.Dict({}), spaces.Tuple(())])
def test_a_space_with_nothing_in_it_is_refused(space):
    with pytest.raises(SpaceError, match="expected something to observe"):
        observed_fields(space)


@pytest.mark.parametrize(
    ("shape", "horizon"), [((4, 64, 64, 3), 4), ((4, 64, 64), 4), ((64, 64, 12), 4), ((2, 3, 64, 64), 2)]
)
def test_a_frame_stack_is_told_how_the_policy_stacks_instead(shape, horizon):
    with pytest.raises(SpaceError, match=rf"policy\.obs_horizon={horizon} instead"):
        observed_fields(box(0, 255, shape, np.uint8))


@pytest.mark.parametrize(("shape", "dtype"), [((28, 28), np.uint8), ((28, 28, 1), np.uint8), ((16, 16), np.uint16)])
def test_a_small_grey_picture_is_never_flattened(shape, dtype):
    with pytest.raises(SpaceError, match=r"sides of at least 31 pixels, found .* enlarge it, or flatten it"):
        observed_fields(box(0, 255, shape, dtype))
