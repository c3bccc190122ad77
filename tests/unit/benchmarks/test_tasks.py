import pytest

from benchmarks.tasks import ARMS, ComparedTrial
from steadyhand.runtime.config import compose


def algorithm_and_device(arm):
    config = compose(ComparedTrial("reach", arm, 3, ("actor.max_env_steps=70",)).overrides)
    assert (config["seed"], config["actor"]["max_env_steps"]) == (3, 70)
    return config["algo"]["entry_point"].rpartition(":")[2], config["device"]["entry_point"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("arm", "algorithm", "helps"),
    [("residual", "Residual", 1), ("rlpd", "Sac", 1), ("hg_dagger", "HgDagger", 1), ("ibrl", "Ibrl", 0)],
)
def test_an_arm_is_one_algorithm_with_a_person_or_without(arm, algorithm, helps):
    found, device = algorithm_and_device(arm)
    assert found == algorithm
    assert (device != "NoPerson") == helps


def test_the_clone_has_no_person_and_every_arm_a_row_of_its_own():
    assert algorithm_and_device("bc")[1] == "NoPerson"
    assert len({ComparedTrial("reach", arm, 0, ()).name for arm in ARMS}) == len(ARMS)
