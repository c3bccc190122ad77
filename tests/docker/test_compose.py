"""docker-compose.yml: the specification's schema, and the rules that keep the containers harmless."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from actor_ros.executables import ARGUMENTS, learner_words, programs
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.keys import secret_file
from steadyhand.transport.socket_thread import check_address

ROOT = Path(__file__).resolve().parents[2]
FILES = ("docker-compose.yml", "docker/no-gpu.yml", "docker/spacemouse.yml", "docker/network.yml")
HOST_NETWORK = {"robot-learner", "actor"}
VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")
MUST_BE_SET = re.compile(r"\$\{LEARNER_HOST:\?[^}]*\}")


class Loader(yaml.SafeLoader):
    """YAML with Compose's tag for taking a value back."""


Loader.add_constructor("!reset", lambda loader, node: None)


def load(name="docker-compose.yml"):
    return Loader((ROOT / name).read_text(encoding="utf-8")).get_single_data()


STACK = load()
SERVICES = STACK["services"]
services = pytest.mark.parametrize("name", SERVICES)


def defaults(text):
    """Return the text with every variable at its default, and an address where one must be given."""
    return MUST_BE_SET.sub("192.168.1.10", VARIABLE.sub(r"\1", text))


def schema_errors(document):
    validators = pytest.importorskip("jsonschema").validators
    schema = json.loads((ROOT / "tests/data/compose_spec.json").read_text(encoding="utf-8"))
    return [error.message for error in validators.validator_for(schema)(schema).iter_errors(document)]


@pytest.mark.parametrize("name", FILES)
def test_the_specification_takes_every_file(name):
    assert schema_errors(load(name)) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"imagine": "x"}, "imagine"), ({"read_only": []}, "boolean"), ({"ports": "5555"}, "array")],
)
def test_the_schema_finds_mistakes(change, expected):
    document = copy.deepcopy(STACK)
    document["services"]["learner"] |= change
    assert expected in " ".join(schema_errors(document))


def test_there_are_the_services_and_the_profiles_that_the_documentation_names():
    profiles = {name: service["profiles"] for name, service in SERVICES.items()}
    assert profiles == {
        "demos": ["sim"],
        "learner": ["sim"],
        "mock": ["sim"],
        "robot-learner": ["robot"],
        "actor": ["robot"],
    }


@services
def test_no_container_is_root_or_may_become_it(name):
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", service["user"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "userns_mode", "group_add"} & service.keys()


@services
def test_no_container_writes_to_its_own_file_system_or_beyond_its_runs(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    runs, *others = [defaults(volume) for volume in service["volumes"]]
    assert runs == "runs:/data/runs"
    assert all(volume.endswith(":ro") for volume in others)
    assert [entry.split(":")[0] for entry in service["tmpfs"]] == ["/tmp"]
    assert "size=" in service["tmpfs"][0]


@services
def test_no_container_takes_all_of_the_machine(name):
    assert 0 < SERVICES[name]["pids_limit"] <= 1024
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}
    assert SERVICES[name]["stop_grace_period"] == "30s"
    assert SERVICES[name]["init"] is True


def test_no_port_is_published():
    # A learner without keys serves its own loopback, to which no published port leads; one with keys is on the host's.
    assert [name for name, service in SERVICES.items() if {"ports", "expose"} & service.keys()] == []


def test_only_what_speaks_dds_or_to_it_is_on_the_hosts_network():
    assert {name for name, service in SERVICES.items() if service.get("network_mode") == "host"} == HOST_NETWORK
    assert [name for name, service in SERVICES.items() if "ipc" in service] == ["actor"]
    assert SERVICES["actor"]["environment"]["ROS_AUTOMATIC_DISCOVERY_RANGE"].endswith(":-LOCALHOST}")


@services
def test_every_image_is_built_here_and_has_the_versions_tag(name):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1]
    build = SERVICES[name]["build"]
    assert SERVICES[name]["image"].endswith(f":{version}")
    dockerfile = (ROOT / build["dockerfile"]).read_text(encoding="utf-8")
    assert "target" not in build or re.search(rf"^FROM \S+ AS {build['target']}$", dockerfile, re.MULTILINE)


@services
def test_every_container_that_stays_tells_its_health(name):
    check = SERVICES[name]["healthcheck"]
    if name == "demos":
        assert check == {"disable": True}
        return
    assert check["test"][0] == "CMD"
    assert check["test"][3] == {"actor": "nodes", "mock": "actor"}.get(name, "learner")
    assert check.keys() == {"test", "interval", "timeout", "retries", "start_period"}
    dockerfile = (ROOT / SERVICES[name]["build"]["dockerfile"]).read_text(encoding="utf-8")
    script = check["test"][2]
    assert script == "/opt/steadyhand/docker/health.py" or f"docker/health.py {script}" in dockerfile


@services
def test_nobody_waits_for_a_service_of_another_profile(name):
    needed = set(SERVICES[name].get("depends_on", {}))
    mode = SERVICES[name].get("network_mode", "")
    needed |= {mode.removeprefix("service:")} if mode.startswith("service:") else set()
    assert all(set(SERVICES[name]["profiles"]) <= set(SERVICES[other]["profiles"]) for other in needed)


def test_within_one_machine_nobody_is_given_a_key():
    assert "secrets" not in STACK
    assert not any("secrets" in service for service in SERVICES.values())


def test_between_two_machines_the_learner_gets_its_key_as_a_secret_and_who_may_connect_read_only():
    network = load("docker/network.yml")
    (learner,) = network["services"].values()
    assert {secret["source"] for secret in learner["secrets"]} == network["secrets"].keys() == {"learner_key"}
    verb, *words = [defaults(word) for word in learner["command"]]
    alone = [defaults(word) for word in SERVICES["robot-learner"]["command"]][1:]
    assert words[:6] == alone[:6]
    config = build(TransportConfig, compose(words[1:])["transport"], "transport")
    assert verb == "learn"
    assert learner["secrets"][0]["target"] == str(secret_file(config.keys_folder))
    (volume,) = [defaults(volume) for volume in learner["volumes"]]
    assert volume == f"/etc/steadyhand/keys/actors:{config.keys_folder}/actors:ro"
    assert config.address == "tcp://192.168.1.10:5555"
    check_address(config.address, keyed=True)
    assert defaults(learner["healthcheck"]["test"][-1]) == config.host
    assert not {"ports", "privileged", "user", "cap_add"} & learner.keys()
    secret = defaults(network["secrets"]["learner_key"]["file"])
    assert Path(secret).is_absolute()
    assert ROOT not in Path(secret).parents


@pytest.mark.parametrize("name", ["demos", "learner", "robot-learner", "mock"])
def test_every_command_is_one_that_the_program_takes(name):
    verb, *words = [defaults(word) for word in SERVICES[name]["command"] if word != "--await-demos"]
    assert verb in ("record", "learn", "act")
    config = compose([word.replace("episodes=", "demo.demos=") for word in words])
    assert config["run_root"] == "/data/runs"
    assert config["run_name"] == "first"
    addresses = [config["transport"]["address"], config["transport"]["weights_address"]]
    assert [address.rpartition(":")[2] for address in addresses] == ["5555", "5556"]
    for address in addresses:
        check_address(address, keyed=False)  # the program would refuse anything else


def launch_arguments():
    words = [defaults(word) for word in SERVICES["actor"]["command"]]
    assert words[:4] == ["ros2", "launch", "actor", "robot.launch.py"]
    return dict(word.split(":=") for word in words[4:])


def test_the_launch_file_takes_what_the_actor_is_started_with():
    given = launch_arguments()
    assert given.keys() <= ARGUMENTS.keys()
    assert all(given.values()), "ros2 launch refuses an argument without a value"
    assert all(ARGUMENTS[name].choices == () or value in ARGUMENTS[name].choices for name, value in given.items())


def test_actor_and_learner_work_on_the_same_run_and_there_is_one_learner():
    given = launch_arguments() | {"params_file": ""}
    _, *learner = [defaults(word) for word in SERVICES["robot-learner"]["command"]]
    config = compose([word for word in learner if not word.startswith("--")])
    actor = programs(given)[-1].parameters
    assert (actor["run_name"], actor["task"]) == (config["run_name"], "peg_insert")
    assert config["run_root"] == "/data/runs"
    assert actor["run_root"] == "runs"
    assert "WORKDIR /data\n" in (ROOT / "docker/actor.Dockerfile").read_text(encoding="utf-8")
    assert actor["learner_address"] == config["transport"]["address"]
    assert learner_words(given) is None, "a second learner could not listen on the same ports"
    assert learner[0] == "--await-demos", "on the mock the actor demonstrates first"


def test_a_cells_own_files_reach_actor_and_learner_and_the_default_ones_change_nothing():
    for name in ("actor", "robot-learner"):
        volumes = [defaults(volume) for volume in SERVICES[name]["volumes"]]
        assert "./docker/cell:/config:ro" in volumes
        assert SERVICES[name]["environment"]["STEADYHAND_CONFIG"] == "/config"
    assert launch_arguments()["params_file"] == "/config/cell.yaml"
    given = yaml.safe_load((ROOT / "docker/cell/cell.yaml").read_text(encoding="utf-8"))
    assert given == {"/**": {"ros__parameters": {"overrides": [""]}}}
