import pytest

from steadyhand.earlier.settings import EarlierConfig
from steadyhand.runtime.build import ConfigError
from steadyhand.training_settings import compose_training_settings


def test_without_a_run_nothing_is_taken():
    config = compose_training_settings([]).earlier
    assert config == EarlierConfig(None, ("weights", "demos", "practice"), 0.2)
    assert config.parts == ()


@pytest.mark.parametrize("take", ["[]", "[weights,weights]", "[encoder]"])
def test_parts_have_names(take):
    with pytest.raises(ConfigError, match=r"earlier: take: expected some of weights, demos, practice, classifier"):
        compose_training_settings([f"earlier.take={take}"])


def test_a_share_is_within_its_range():
    with pytest.raises(ConfigError, match=r"earlier: demo_share: expected a number within \[0, 1\], found 2"):
        compose_training_settings(["earlier.demo_share=2"])
