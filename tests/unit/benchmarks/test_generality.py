from benchmarks.generality import TaskTrial
from steadyhand.runtime.config import compose


def test_each_row_has_its_own_seed_whatever_the_first_one_is():
    seeds = [compose(TaskTrial("reach", "alone", seed, ("seed=7",)).overrides)["seed"] for seed in (7, 8, 9)]
    assert seeds == [7, 8, 9]


def test_the_command_line_wins_over_the_rest_of_the_row():
    assert compose(TaskTrial("reach", "corrected", 0, ("actor.graduation=null", "device=none")).overrides)["device"][
        "entry_point"
    ].endswith(":NoPerson")
