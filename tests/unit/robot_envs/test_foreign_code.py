import pytest

from steadyhand.robot_envs.foreign_code import ForeignCodeError, call_entry_point, one_line
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import load_entry_point
from tests.unit.robot_envs import odd_envs

HERE = odd_envs.HERE


def test_an_entry_point_is_found_and_called():
    entry = load_entry_point(f"{HERE}:make", "task.entry_point")
    assert call_entry_point(entry, {"kind": "fetch"}, "task.entry_point", "task.arguments").kind == "fetch"


def test_an_exception_is_told_in_one_line_with_its_place_and_kept_as_the_cause():
    with pytest.raises(ForeignCodeError) as caught, one_line("step of the environment"):
        raise ValueError("two\nlines \x1b[31m")
    text = str(caught.value)
    assert text.startswith(
        "step of the environment raised ValueError: two lines \\x1b[31m (test_foreign_code.py, line "
    )
    assert isinstance(caught.value.__cause__, ValueError)


def test_interrupts_are_nobodys_mistake():
    with pytest.raises(KeyboardInterrupt), one_line("step"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["make_raising", "make_exiting"])
def test_an_entry_point_that_raises_is_a_configuration_error(name):
    entry = load_entry_point(f"{HERE}:{name}", "task.entry_point")
    with pytest.raises(ConfigError, match=r"task\.entry_point: (RuntimeError|SystemExit): .*odd_envs\.py"):
        call_entry_point(entry, {}, "task.entry_point", "task.arguments")
