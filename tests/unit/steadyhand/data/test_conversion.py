import numpy as np
import pytest

from steadyhand.data.conversion import convert
from steadyhand.data.foreign import ForeignDataError, ForeignEpisode
from steadyhand.data.mapping import Choices, Plan, Source
from tests.unit.steadyhand.data.data_kit import schema, vector, view

STATE = Source("state", 0, 3)


def episode(steps=3, final=True, **changes):
    rows = steps + final
    values = {
        "observations": {
            "state": np.arange(rows * 4, dtype=np.float64).reshape(rows, 4),
            "wrist": np.zeros((rows, 32, 48, 3), np.uint8),
        },
        "actions": {"action": np.linspace(-1, 1, steps * 2).reshape(steps, 2)},
        "rewards": np.eye(steps)[-1],
        "terminated": True,
        "success": True,
    }
    return ForeignEpisode("episode 7", **(values | changes))


def plan(*fields, source=STATE, **choices):
    fields = fields or (vector(),)
    return Plan(
        schema(*fields),
        {one.name: Source("wrist") if one.is_image else source for one in fields},
        Source("action"),
        Choices(**choices),
    )


def test_parts_of_vectors_and_the_last_observation():
    found = convert(episode(), plan(vector(), view()))
    assert found.observations["pose"].tolist() == [[0, 1, 2], [4, 5, 6], [8, 9, 10], [12, 13, 14]]
    assert (found.repeated_last, found.made_rewards, found.terminated) == (False, False, True)
    repeated = convert(episode(final=False), plan())
    assert repeated.observations["pose"][-2:].tolist() == [[8, 9, 10], [8, 9, 10]]
    assert repeated.repeated_last


def test_actions_are_scaled_and_never_clipped_in_silence():
    pixels = np.array([[0.0, 512.0], [256.0, 128.0]])
    found = convert(episode(2, actions={"action": pixels}), plan(action_low=0.0, action_high=512.0))
    assert found.actions.tolist() == [[-1, 1], [0, -0.5]]
    with pytest.raises(ForeignDataError, match=r"episode 7: .* axis 1 from 128 to 512; give --action-range"):
        convert(episode(2, actions={"action": pixels}), plan())
    with pytest.raises(ForeignDataError, match="axis 1 from 128 to 512"):
        convert(episode(2, actions={"action": pixels}), plan(action_low=0.0, action_high=256.0))


def test_pictures_are_turned_and_scaled():
    first = np.zeros((4, 3, 32, 48), np.uint8)
    first[:, 0] = 200
    found = convert(episode(observations={"state": np.zeros((4, 3)), "wrist": first}), plan(view()))
    assert found.observations["wrist"][0, 0, 0].tolist() == [200, 0, 0]
    small = convert(episode(observations={"wrist": first}), plan(view("wrist", 64, 64), resize=True))
    assert small.observations["wrist"].shape == (4, 64, 64, 3)
    assert small.observations["wrist"][0, 5, 5].tolist() == [200, 0, 0]
    stack = convert(episode(observations={"wrist": first[:, None]}), plan(view()))
    assert stack.observations["wrist"].shape == (4, 32, 48, 3)


@pytest.mark.parametrize(
    ("choices", "changes", "success", "last_reward"),
    [
        ({}, {}, True, 1.0),
        ({}, {"success": False}, False, 1.0),
        ({"success": "all"}, {"success": None, "rewards": None}, True, 1.0),
        ({"success": "none"}, {}, False, 1.0),
        ({"success": "reward"}, {"success": None}, True, 1.0),
        ({"success": "reward"}, {"rewards": np.zeros(3)}, False, 0.0),
        ({"success": "all", "rewards": "sparse"}, {"rewards": -np.ones(3)}, True, 1.0),
        ({"success": "none", "rewards": "sparse"}, {"rewards": -np.ones(3)}, False, 0.0),
    ],
)
def test_success_and_rewards_are_as_chosen(choices, changes, success, last_reward):
    found = convert(episode(**changes), plan(**choices))
    assert (found.success, float(found.rewards[-1])) == (success, last_reward)


def test_an_end_that_is_not_told_is_that_of_a_success():
    assert convert(episode(terminated=None), plan()).terminated
    assert not convert(episode(terminated=None, success=False), plan()).terminated


@pytest.mark.parametrize(
    ("changes", "choices", "told"),
    [
        ({"success": None}, {}, "say which episodes succeeded: --success all"),
        ({"rewards": None}, {"success": "reward"}, "expected rewards"),
        ({"rewards": np.array([0, np.nan, 1])}, {}, "--rewards sparse"),
        ({"rewards": np.zeros(9)}, {}, "--rewards sparse"),
        ({"actions": {"action": np.full((3, 2), np.nan)}}, {}, "expected finite actions"),
        ({"actions": {"action": np.zeros((0, 2))}}, {}, "expected at least one step"),
        ({"observations": {"state": np.full((4, 4), np.nan)}}, {}, "expected finite numbers in pose"),
        ({"observations": {"state": np.full((4, 4), 1e300)}}, {}, "expected finite numbers in pose"),
        ({"observations": {"state": np.zeros((9, 4))}}, {}, "expected pose of 3 steps, found 9"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_does_not_fit_names_the_episode(changes, choices, told):
    with pytest.raises(ForeignDataError, match="episode 7: ") as refusal:
        convert(episode(**changes), plan(**choices))
    assert told in str(refusal.value)
