import pytest

from steadyhand.learner.algos.bc import Bc
from steadyhand.runtime.build import ConfigError
from steadyhand.training_settings import compose_training_settings


def test_the_shipped_numbers_are_valid():
    settings = compose_training_settings([])
    demo = settings.demo
    assert demo.required_success == 0.95
    assert demo.eval_episodes == 200
    assert demo.fit.validation_share == 0.0  # candidates compete by success, so no demonstration is held back
    assert settings.cloning.type is Bc


@pytest.mark.parametrize("wrong", ["demo.demos=0", "demo.required_success=2", "demo.stall_s=0", "demo.max_attempts=5"])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match=wrong.partition("=")[0].removeprefix("demo.")):
        compose_training_settings([wrong])


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("demo.bc.loss=none", "demo.bc.loss: expected one of nll, mse"),
        ("demo.bc.entry_point=steadyhand.learner.algos.sac:Sac", "expected a class derived from Bc"),
        ("~demo.bc", "demo.bc: expected a mapping of keys"),
    ],
)
def test_a_baseline_that_is_none_is_refused(wrong, line):
    with pytest.raises(ConfigError, match=line):
        compose_training_settings([wrong])
