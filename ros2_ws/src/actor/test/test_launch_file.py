"""The launch file under a Python that has `launch` (stand-ins) and not the product, as `ros2` from apt runs it."""

import sys
from pathlib import Path

import pytest
from launch_kit import evaluate, installed_copy

from actor_ros.executables import ARGUMENTS, learner_words, programs

SHELL = {"VIRTUAL_ENV": str(Path(sys.prefix))}
PYTHON = str(Path(sys.prefix) / "bin/python3")


@pytest.fixture
def launch(tmp_path):
    places = installed_copy(tmp_path / "install")

    def launch(*given, **environment):
        environment = {"AMENT_PREFIX_PATH": str(tmp_path / "install"), **(environment or SHELL)}
        return evaluate(tmp_path, places["launch_file"], *given, actor_ros=places["actor_ros"], **environment)

    return launch


def test_it_needs_nothing_of_the_product(launch):
    found = launch()
    assert found["there"] == [], "the interpreter of this test must not have the product"
    assert found["imported"] == []


def test_every_argument_of_the_table_is_declared_and_nothing_else(launch):
    declared = launch()["declared"]
    assert declared == {
        name: [argument.default, argument.description, list(argument.choices) or None]
        for name, argument in ARGUMENTS.items()
    }


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"robot": "crisp_fr3", "task": "peg_insert", "namespace": "arm0", "device": "spacemouse", "record": "bags/one"},
        {"robot": "ur_fzi", "learner": "true", "learner_address": "tcp://127.0.0.1:6000", "use_sim_time": "true"},
        {"work": "run", "policy": "policy.onnx", "run_name": "pegs", "config_dir": "/my cell"},
    ],
)
def test_it_starts_what_the_table_says_with_the_environments_python(launch, given):
    found = launch(*(f"{name}:={value}" for name, value in given.items()))["processes"]
    nodes, wanted = [each for each in found if each["name"] != "learner"], programs(given)
    assert [each["name"] for each in nodes] == [program.node for program in wanted]
    for each, program in zip(nodes, wanted, strict=True):
        python, script, *words = each["command"]
        assert python == PYTHON
        assert Path(script).parts[-3:] == ("lib", "actor", program.executable)
        assert f"__ns:=/{given.get('namespace', '')}" in words
        assert each["parameters"] == [program.parameters]
    words = learner_words(given)
    learners = [each["command"] for each in found if each["name"] == "learner"]
    assert learners == ([[PYTHON, "-m", "steadyhand", *words]] if words else [])
    assert all(each["gone_s"] <= 3.0 for each in found), "Ctrl-C ends every process within 3 s, by force if it must be"


def test_a_parameter_file_goes_to_every_node_after_the_arguments(launch, tmp_path):
    file = tmp_path / "my cell.yaml"
    file.write_text("/**:\n  ros__parameters:\n    overrides: [safety=my_cell]\n", encoding="utf-8")
    found = launch(f"params_file:={file}")["processes"]
    assert [each["command"][-1] for each in found if each["name"] != "learner"] == [str(file)] * 3
    assert found[-1]["command"][-1] == "safety=my_cell"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("work:=play", "Valid options are"),
        ("learner_address:=gpu-box", "learner_address: expected tcp://host:port, found 'gpu-box'"),
        ("params_file:=nowhere.yaml", "params_file: expected a file of ROS parameters, found 'nowhere.yaml'"),
        ("python:=/usr/bin/false", "python: expected a Python that has steadyhand, found /usr/bin/false (the argument"),
    ],
)
def test_what_cannot_be_used_is_one_line(launch, given, line):
    with pytest.raises(AssertionError) as failed:
        launch(given)
    assert line in str(failed.value).splitlines()[-1]


def test_without_an_activated_environment_it_is_the_python_that_built_the_package(launch, tmp_path):
    note = tmp_path / "install/lib/python/actor_ros/built_by.txt"
    note.write_text(sys.executable, encoding="utf-8")
    assert launch(PATH="/usr/bin:/bin")["processes"][0]["command"][0] == sys.executable
    note.write_text("/nowhere/bin/python3", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"activate the virtual environment that has it, or give python:="):
        launch(PATH="/nowhere")
