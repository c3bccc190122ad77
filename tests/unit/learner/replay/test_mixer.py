import pytest

from steadyhand.learner.replay.mixer import Mixer


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.999, 1.0])
@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_every_batch_keeps_the_ratio_and_the_long_run_is_exact(ratio, batch_size):
    mixer = Mixer(ratio, batch_size)
    counts = [mixer.demo_rows(batch, online=5, demo=5) for batch in range(1000)]
    assert all(abs(count - ratio * batch_size) < 1.0 for count in counts)
    for end in (1, 10, 1000):
        assert abs(sum(counts[:end]) - end * ratio * batch_size) < 1.0


def test_the_count_is_a_function_of_the_batch_number_alone():
    mixer = Mixer(0.3, 5)
    assert [mixer.demo_rows(batch, 1, 1) for batch in range(4)] == [1, 2, 1, 2]
    assert mixer.demo_rows(1, 1, 1) == 2
    assert mixer.demo_rows(10**9 + 1, 1, 1) == 2


def test_an_empty_index_leaves_the_batch_to_the_other():
    mixer = Mixer(0.5, 8)
    assert mixer.demo_rows(0, online=10, demo=0) == 0
    assert mixer.demo_rows(0, online=0, demo=10) == 8


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_a_ratio_that_is_no_share_is_refused(ratio):
    with pytest.raises(ValueError, match="within"):
        Mixer(ratio, 8)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.5, 1.0])
def test_an_earlier_run_keeps_its_share_of_the_demo_rows(share):
    mixer = Mixer(0.5, 128, earlier_share=share)
    rows = [mixer.earlier_rows(batch, demo=5, earlier=500, demo_rows=64) for batch in range(1000)]
    assert all(abs(count - share * 64) < 1.0 for count in rows)
    assert abs(sum(rows) - 1000 * share * 64) < 1.0


def test_without_its_own_demonstrations_a_run_has_those_of_the_earlier_one():
    mixer = Mixer(0.5, 8, earlier_share=0.2)
    assert mixer.earlier_rows(0, demo=0, earlier=10, demo_rows=4) == 4
    assert mixer.earlier_rows(0, demo=10, earlier=0, demo_rows=4) == 0
    with pytest.raises(ValueError, match="earlier_share: expected a share within"):
        Mixer(0.5, 8, earlier_share=1.5)
