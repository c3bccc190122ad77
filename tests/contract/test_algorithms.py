"""Every shipped algorithm keeps the contract, and so does one from outside the repository."""

import textwrap

import pytest

from steadyhand.contracts.algorithm import AlgorithmContract
from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose


class TestSac(AlgorithmContract):
    group = "algo=sac"


class TestRlpd(AlgorithmContract):
    group = "algo=rlpd"
    overrides = ("algo.batch_size=16", "algo.actor_bc_weight=1.0", "algo.policy_ema=0.1")


class TestBc(AlgorithmContract):
    group = "algo=bc"


class TestHgDagger(AlgorithmContract):
    group = "algo=hg_dagger"


class TestIbrl(AlgorithmContract):
    group = "algo=ibrl"
    overrides = ("algo.batch_size=16", "algo.warm_updates=0", "algo.policy_ema=0.1", "algo.num_min=1")


class TestIql(AlgorithmContract):
    group = "algo=iql"


class TestCalQl(AlgorithmContract):
    group = "algo=cal_ql"


class TestResidual(AlgorithmContract):
    group = "algo=residual"
    overrides = ("algo.batch_size=16", "algo.warm_updates=0", "algo.growth_updates=2")


class TestHybrid(AlgorithmContract):
    group = "algo=hybrid"
    overrides = ("algo.batch_size=16", "algo.warm_updates=0", "algo.growth_updates=2", "algo.decision_epsilon=0.1")


class TestVice(AlgorithmContract):
    group = "algo=vice"
    overrides = ("algo.batch_size=16", "algo.examples=4")


class TestWsrl(AlgorithmContract):
    group = "algo=wsrl"


@pytest.fixture
def own_algorithm(tmp_path, monkeypatch):
    """An algorithm as a user writes it: one file, and one YAML file in a folder of their own."""
    (tmp_path / "algo").mkdir()
    (tmp_path / "lazy_clone.py").write_text(
        textwrap.dedent(
            """
            from steadyhand.learner.algos.bc import Bc

            class LazyClone(Bc):
                def update(self, block):
                    return super().update(block) | {"lazy": self.policy.mean.weight.sum().detach()}
            """
        )
    )
    values = "entry_point: lazy_clone:LazyClone\nbatch_size: 16\nloss: mse\npolicy_lr: 1.0e-3\nimage_shift: 0\n"
    (tmp_path / "algo" / "lazy.yaml").write_text(values)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("STEADYHAND_CONFIG", str(tmp_path))


def test_an_algorithm_of_the_users_own_is_one_file_and_one_config(own_algorithm):
    found = find_algorithm(compose(["algo=lazy"])["algo"])
    assert found.type.__name__ == "LazyClone"
    assert found.settings.batch_size == 16


@pytest.mark.parametrize(
    ("entry_point", "reason"),
    [
        ("steadyhand.learner.limiter:UpdateLimiter", "expected a class derived from Algorithm"),
        ("steadyhand.learner.algos.sac", "expected package.module:name"),
        ("steadyhand.learner.algos.sac:Missing", "has no 'Missing'"),
        ("no_such_package.algo:Mine", "cannot import 'no_such_package.algo'"),
    ],
)
def test_an_entry_point_that_is_no_algorithm_is_one_line(entry_point, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        find_algorithm(compose([f"algo.entry_point={entry_point}"])["algo"])
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("algo.entry_point: ")


def test_another_algorithms_settings_are_refused():
    with pytest.raises(ConfigError, match="algo: unknown key 'expectile'"):
        find_algorithm(compose(["algo=bc", "+algo.expectile=0.7"])["algo"])
