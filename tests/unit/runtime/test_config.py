import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from steadyhand.runtime.config import CONFIG_VARIABLE, ConfigError, build, compose, use_config_dir

unique = itertools.count()


@dataclass(frozen=True)
class Optimiser:
    learning_rate: float
    kind: Literal["adam", "sgd"]

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate: expected > 0, found {self.learning_rate}")


@dataclass(frozen=True)
class Settings:
    steps: int
    gamma: float
    fast: bool
    name: str | None
    hidden: tuple[int, ...]
    box: tuple[float, str]
    weights: dict[str, float]
    optimiser: Optimiser
    spare: Optimiser | None = None
    either: int | str = 0
    anything: Any = None
    several: tuple[Optimiser, ...] = ()
    counted: int = field(default=0, init=False)


def values(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "steps": 3,
        "gamma": 1,
        "fast": True,
        "name": None,
        "hidden": [256, 256],
        "box": [0, "m"],
        "weights": {"reach": 1},
        "optimiser": {"learning_rate": 3e-4, "kind": "adam"},
    }
    return plain | changes


class TestBuild:
    def test_nested_frozen_dataclasses(self):
        spare = {"learning_rate": 1, "kind": "sgd"}
        settings = build(Settings, values(spare=spare, several=[spare, spare], either="x", anything=[1]))
        assert settings.optimiser == Optimiser(3e-4, "adam")
        assert settings.spare == Optimiser(1.0, "sgd")
        assert settings.several == (Optimiser(1.0, "sgd"),) * 2
        assert settings.hidden == (256, 256)
        assert settings.either == "x"
        assert settings.anything == [1]

    def test_a_float_written_as_an_int_becomes_a_float(self):
        settings = build(Settings, values())
        assert [type(settings.gamma), type(settings.box[0]), type(settings.weights["reach"])] == [float] * 3

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            ({"steps": 3.0}, "algo.steps: expected int, found 3.0 (float)"),
            ({"steps": True}, "algo.steps: expected int, found True (bool)"),
            ({"steps": "3"}, "algo.steps: expected int, found '3' (str)"),
            ({"steps": None}, "algo.steps: expected int, found null"),
            ({"gamma": True}, "algo.gamma: expected a finite number, found True (bool)"),
            ({"gamma": float("nan")}, "algo.gamma: expected a finite number, found nan (float)"),
            ({"gamma": float("-inf")}, "algo.gamma: expected a finite number, found -inf (float)"),
            ({"fast": 1}, "algo.fast: expected bool, found 1 (int)"),
            ({"name": 5}, "algo.name: expected str, found 5 (int)"),
            ({"hidden": "256"}, "algo.hidden: expected a list, found '256' (str)"),
            ({"hidden": [1, "2"]}, "algo.hidden[1]: expected int, found '2' (str)"),
            ({"box": [1]}, "algo.box: expected a list of 2, found 1: [1] (list)"),
            ({"weights": [1]}, "algo.weights: expected a mapping, found [1] (list)"),
            ({"weights": {"a": "b"}}, "algo.weights.a: expected a finite number, found 'b' (str)"),
            ({"weights": {1: 2}}, "algo.weights key 1: expected str, found 1 (int)"),
            ({"either": 1.5}, "algo.either: expected int or str, found 1.5 (float)"),
            ({"optimiser": 3}, "algo.optimiser: expected a mapping with Optimiser's keys, found 3 (int)"),
            (
                {"optimiser": {"learning_rate": 1, "kind": "lion"}},
                "algo.optimiser.kind: expected one of adam, sgd, found 'lion' (str)",
            ),
            (
                {"spare": {"learning_rate": 0, "kind": "adam"}},
                "algo.spare: learning_rate: expected > 0, found 0.0",
            ),
            (
                {"several": [{"learning_rate": -1, "kind": "adam"}]},
                "algo.several[0]: learning_rate: expected > 0, found -1.0",
            ),
        ],
    )
    def test_errors_name_path_expected_and_found(self, changes, line):
        with pytest.raises(ConfigError) as caught:
            build(Settings, values(**changes), "algo")
        assert str(caught.value) == line

    def test_an_int_too_large_for_a_float(self):
        with pytest.raises(ConfigError, match=r"gamma: expected a finite number, found 1000"):
            build(Settings, values(gamma=10**400))

    def test_unknown_keys_name_the_valid_ones(self):
        with pytest.raises(ConfigError, match=r"^algo.optimiser: unknown key 'lr'; valid keys: learning_rate, kind$"):
            build(Settings, values(optimiser={"lr": 1, "kind": "adam"}), "algo")

    def test_a_field_that_init_does_not_take_is_unknown(self):
        with pytest.raises(ConfigError, match="unknown key 'counted'"):
            build(Settings, values(counted=1))

    def test_missing_keys_are_all_named(self):
        with pytest.raises(ConfigError, match=r"^Optimiser: missing keys learning_rate, kind; "):
            build(Optimiser, {})

    def test_literal_does_not_take_an_equal_value_of_another_type(self):
        @dataclass(frozen=True)
        class Arms:
            count: Literal[1, 2]

        assert build(Arms, {"count": 2}).count == 2
        with pytest.raises(ConfigError, match="expected one of 1, 2, found True"):
            build(Arms, {"count": True})

    def test_the_result_shares_no_container_with_the_values(self):
        plain = values()
        settings = build(Settings, plain)
        plain["weights"]["late"] = 9.0
        assert "late" not in settings.weights

    def test_an_error_is_one_line(self):
        with pytest.raises(ConfigError) as caught:
            build(Settings, values(name=["a\nb" * 100]))
        assert "\n" not in str(caught.value)

    def test_a_class_that_is_not_a_dataclass_is_a_mistake_of_ours(self):
        with pytest.raises(TypeError, match="expected a dataclass"):
            build(int, {})

    def test_a_field_of_an_unsupported_type_is_a_mistake_of_ours(self):
        @dataclass(frozen=True)
        class Odd:
            names: set[str]

        with pytest.raises(TypeError, match=r"names: a configuration field cannot be of type set\[str\]"):
            build(Odd, {"names": ["a"]})


ROOT = """
defaults:
  - robot: mock
  - device: scripted
  - learner: default
  - _self_
seed: 0
run_name: null
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that makes an importable package of YAML files and returns its name."""

    def make(**more: str) -> str:
        name = f"config_package_{next(unique)}"
        files = {
            "__init__.py": "",
            "steadyhand.yaml": ROOT,
            "robot/mock.yaml": "n_arms: 1\nlimits: {max_speed_m_s: 0.25}\n",
            "robot/ros.yaml": "n_arms: 1\nhost: ???\n",
            "device/scripted.yaml": "kind: scripted\n",
            "device/spacemouse.yaml": "kind: spacemouse\n",
            "learner/default.yaml": "device: cpu\nseed: ${seed}\nsizes: [1, 2]\n",
        }
        for path, text in (files | {key.replace("__", "/") + ".yaml": text for key, text in more.items()}).items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        return name

    return make


class TestCompose:
    def test_groups_values_and_interpolations_become_plain_containers(self, package):
        plain = compose(["seed=7", "learner.device=cuda", "device=spacemouse"], config_module=package())
        assert plain == {
            "robot": {"n_arms": 1, "limits": {"max_speed_m_s": 0.25}},
            "device": {"kind": "spacemouse"},
            "learner": {"device": "cuda", "seed": 7, "sizes": [1, 2]},
            "seed": 7,
            "run_name": None,
        }
        assert type(plain["robot"]["limits"]) is dict
        assert type(plain["learner"]["sizes"]) is list

    def test_the_folder_stays_and_nothing_is_written(self, package, tmp_path, monkeypatch):
        name = package()
        empty = tmp_path / "empty"
        empty.mkdir()
        monkeypatch.chdir(empty)
        compose([], config_module=name)
        assert os.getcwd() == str(empty)
        assert list(empty.iterdir()) == []

    def test_twice_in_one_process(self, package):
        name = package()
        with pytest.raises(ConfigError):
            compose(["robot=none"], config_module=name)
        assert compose([], config_module=name) == compose([], config_module=name)

    @pytest.mark.parametrize(
        ("override", "line"),
        [
            (
                "robot=franka",
                "robot=franka: no such option; robot is one of mock, ros (files of your own: --config-dir DIR, or "
                "STEADYHAND_CONFIG)",
            ),
            (
                "device=cuda",
                "device=cuda: no such option; device is one of scripted, spacemouse (`device` is the human-input "
                "group; the compute device is chosen with learner.device=cuda)",
            ),
            ("sed=1", "sed: unknown key; valid keys: robot, device, learner, seed, run_name"),
            ("learner.lr=1", "learner.lr: unknown key; valid keys in learner: device, seed, sizes"),
            (
                "robot.limits.max_speed=1",
                "robot.limits.max_speed: unknown key; valid keys in robot.limits: max_speed_m_s",
            ),
            ("robot=ros", "robot.host: needs a value and has none; give one with robot.host=..."),
        ],
    )
    def test_errors_name_the_valid_choices(self, package, override, line):
        with pytest.raises(ConfigError) as caught:
            compose(["run_name=a", override], config_module=package())
        assert str(caught.value) == line

    def test_a_value_made_of_a_missing_one_is_not_blamed(self, package):
        name = package(robot__ros="address: tcp://${robot.host}:1\nhost: ???\n")
        with pytest.raises(ConfigError, match=r"^robot\.host: needs a value and has none"):
            compose(["robot=ros"], config_module=name)

    @pytest.mark.parametrize(
        "override",
        [
            "+learner._target_=os.system",
            "+robot.deep={_target_:{a:1}}",
            "+learner.sizes_of=[{_target_:builtins.print}]",
        ],
    )
    def test_nothing_is_called_by_a_configuration(self, package, override):
        with pytest.raises(ConfigError, match="nothing is called by _target_"):
            compose([override], config_module=package())

    def test_the_valid_keys_are_those_of_the_chosen_option(self, package):
        with pytest.raises(ConfigError, match="valid keys in robot: n_arms, host"):
            compose(["robot.hots=a", "robot=ros"], config_module=package())

    @pytest.mark.parametrize(
        "override", ["seed", "seed=[1", "seed=1,2", "+robot=franka", "~absent", "seed.deeper=1", "robot=none"]
    )
    def test_a_broken_override_is_one_line(self, package, override):
        with pytest.raises(ConfigError) as caught:
            compose([override], config_module=package())
        assert "\n" not in str(caught.value)
        assert override.strip("+~").split("=")[0] in str(caught.value)

    @pytest.mark.parametrize("override", ["", "=3", "robot=null", "robot=[mock,ros]", "learner.seed=${nowhere}"])
    def test_an_odd_override_is_one_line(self, package, override):
        with pytest.raises(ConfigError) as caught:
            compose([override], config_module=package())
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("text", ["device: ${nowhere.at_all}\n", "device: [1\n", "device: ${unknown:1}\n"])
    def test_a_broken_file_is_one_line(self, package, text):
        with pytest.raises(ConfigError) as caught:
            compose([], config_module=package(learner__default=text))
        assert "\n" not in str(caught.value)

    def test_an_absent_root_is_one_line(self, package):
        with pytest.raises(ConfigError, match="nothing"):
            compose([], "nothing", config_module=package())


class TestOwnFolder:
    @pytest.fixture(autouse=True)
    def restored(self, monkeypatch):
        # Set and taken away again: what a test sets is undone at its end.
        monkeypatch.setenv(CONFIG_VARIABLE, "")

    @pytest.fixture
    def own(self, tmp_path):
        folder = tmp_path / "my cell's (a,b) é"
        (folder / "robot").mkdir(parents=True)
        (folder / "robot/my_arm.yaml").write_text(
            "defaults: [mock, _self_]\nlimits: {max_speed_m_s: 0.1}\n", encoding="utf-8"
        )
        return folder

    def test_its_files_are_options_and_may_be_built_on_the_products(self, package, own):
        use_config_dir(own)
        plain = compose(["robot=my_arm", "robot.n_arms=2"], config_module=package())
        assert plain["robot"] == {"n_arms": 2, "limits": {"max_speed_m_s": 0.1}}
        assert set(plain) == {"robot", "device", "learner", "seed", "run_name"}

    def test_the_variable_names_it_too_and_a_relative_one_is_where_the_process_started(
        self, package, own, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv(CONFIG_VARIABLE, own.name)
        name = package()
        compose(["robot=my_arm"], config_module=name)
        monkeypatch.chdir("/")
        compose(["robot=my_arm"], config_module=name)
        assert os.environ[CONFIG_VARIABLE] == str(own), "a process that is started elsewhere finds it"

    def test_errors_name_the_users_own_options_too(self, package, own):
        use_config_dir(own)
        name = package()
        with pytest.raises(ConfigError) as caught:
            compose(["robot=franka"], config_module=name)
        assert str(caught.value).startswith("robot=franka: no such option; robot is one of mock, my_arm, ros (")
        assert str(caught.value).endswith("é was searched too)")
        with pytest.raises(ConfigError, match=r"^sed: unknown key; valid keys: robot, device"):
            compose(["robot=my_arm", "sed=1"], config_module=name)
        with pytest.raises(ConfigError, match=r"^robot\.hots: unknown key; valid keys in robot: n_arms, limits"):
            compose(["robot=my_arm", "robot.hots=1"], config_module=name)

    def test_a_file_that_hides_one_of_the_product_is_refused(self, package, own):
        (own / "robot/mock.yaml").write_text("n_arms: 3\n", encoding="utf-8")
        use_config_dir(own)
        with pytest.raises(ConfigError, match=r"^robot/mock\.yaml: .* give yours another name"):
            compose([], config_module=package())

    def test_a_folder_that_is_not_there_is_one_line(self, package, tmp_path, monkeypatch):
        with pytest.raises(ConfigError, match=r"^--config-dir: expected a folder .*, found nothing there: "):
            use_config_dir(tmp_path / "gone", "--config-dir")
        (tmp_path / "file").touch()
        monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "file"))
        with pytest.raises(ConfigError, match=r"^STEADYHAND_CONFIG: expected a folder .*, found a file: "):
            compose([], config_module=package())
