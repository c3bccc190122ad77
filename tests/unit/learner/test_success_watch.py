import logging
from types import SimpleNamespace

from steadyhand.learner.success_watch import SuccessWatch


def test_a_fall_is_reported_once_as_is_its_end(caplog):
    watch = SuccessWatch()
    with caplog.at_level(logging.WARNING):
        for rates in (None, (0.8, 0.7), (0.8, 0.5), (0.8, 0.4), (0.8, 0.6), (0.8, 0.85), (0.8, 0.5)):
            watch.look(SimpleNamespace(success_alone=lambda rates=rates: rates))
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert "was 80 % in the first episodes and is now 50 %" in lines[0]
    assert "back at 85 %" in lines[1]
    assert "worse" in lines[2]
