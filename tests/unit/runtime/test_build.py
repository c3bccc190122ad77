from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from steadyhand.runtime.build import ConfigError, build


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
