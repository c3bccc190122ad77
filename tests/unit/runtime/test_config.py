import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import CONFIG_VARIABLE, compose, use_config_dir

unique = itertools.count()
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

    def test_a_key_that_is_no_name_is_one_line_with_the_file(self, package, own):
        (own / "robot/my_arm.yaml").write_text("defaults: [mock, _self_]\nnull: 0.1\n", encoding="utf-8")
        use_config_dir(own)
        with pytest.raises(ConfigError) as caught:
            compose(["robot=my_arm"], config_module=package())
        assert (
            str(caught.value) == f"{own}/robot/my_arm.yaml: expected names as keys, found another one; correct the file"
        )

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
