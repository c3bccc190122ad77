"""One recipe: a task or an experiment chooses inputs and budgets, and nothing of how the policy learns."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
INPUTS = {"observation_keys", "hidden_keys", "hides_privileged", "obs_horizon", "encoder", "encoder_weights"}
INPUTS |= {"feature_cache", "latent_size"}
BUDGETS = {"pretrain_updates", "max_updates", "start_transitions", "utd_ratio"}
FILES = sorted(
    path
    for folder in ("configs", "examples/config")
    for group in ("experiment", "task")
    for path in (ROOT / folder / group).glob("*.yaml")
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_sets_no_number_of_learning(path):
    values = yaml.safe_load(path.read_text())
    assert "algo" not in values
    assert not any("algo" in str(item) for item in values.get("defaults", ()))
    assert set(values.get("policy", {})) <= INPUTS
    assert set(values.get("learner", {})) <= BUDGETS
