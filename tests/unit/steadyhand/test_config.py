import pytest

from steadyhand.config import DemoConfig
from steadyhand.runtime.config import ConfigError, build, compose


def test_the_shipped_numbers_are_valid():
    demo = build(DemoConfig, compose([])["demo"], "demo")
    assert demo.required_success == 0.95
    assert demo.eval_episodes == 200
    assert demo.fit.validation_share == 0.0  # candidates compete by success, so no demonstration is held back


@pytest.mark.parametrize("wrong", ["demo.demos=0", "demo.required_success=2", "demo.stall_s=0", "demo.max_attempts=5"])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match=wrong.partition("=")[0].removeprefix("demo.")):
        build(DemoConfig, compose([wrong])["demo"], "demo")
