import logging

from steadyhand.robot_envs.rewards.certainty_watch import CertaintyWatch


def test_a_fall_and_its_end_are_each_reported_once(caplog):
    watch = CertaintyWatch(0.95, 0.1, 4)
    with caplog.at_level(logging.WARNING):
        for probability in [0.99, 0.02, 0.98, 0.01]:
            watch.add(probability)
        assert not watch.has_fallen
        for _ in range(8):
            watch.add(0.5)
        assert watch.has_fallen
        for _ in range(8):
            watch.add(0.0)
        assert not watch.has_fallen
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "as on its held-out episodes (0.95), found 0.74 over 4 steps" in lines[0]
    assert "as certain as before (1.00)" in lines[1]


def test_a_short_history_says_nothing_and_a_bad_number_does_not_stick(caplog):
    watch = CertaintyWatch(0.6, 0.1, 4)
    for probability in [0.5, 0.5, float("nan")]:
        watch.add(probability)
    assert not watch.has_fallen
    for _ in range(4):
        watch.add(1.0)
    assert not watch.has_fallen
    assert caplog.text == ""
