"""A command that is refused says so in one line and leaves the disk as it was, for every verb."""

import hashlib
import socket
from pathlib import Path

import pytest

from steadyhand.cli import VERBS, main

pytestmark = pytest.mark.slow

BAD = {
    "+extra=3": "extra: unknown key",
    "~task": "task: expected",
    "seed=-1": "seed: expected a whole number",
    "+actor.extra=3": "actor: unknown key 'extra'",
    "actor.max_env_steps=0": "max_env_steps: expected at least 1, found 0",
    "safety.workspace_low_m=[0.1]": "workspace_low_m",
    "task.drive.action_scale_m=nan": "task.drive.action_scale_m: expected a finite number, found nan",
    "task.settings.tolerance_m=inf": "task.settings.tolerance_m: expected a finite number, found inf",
    "+task.arguments=5": "task: unknown key 'arguments'",
    "camera.views=null": "camera.views: expected a mapping",
    "camera=wrist_side camera.views.side.height=0": "height: expected at least 1, found 0",
    "+robot.extra=3": "robot: unknown key 'extra'",
    "robot.world.impedance.stiffness_n_m=-1": "stiffness_n_m: expected a number above 0",
    "device.corrector.act_steps=[5]": "act_steps: expected [shortest, longest]",
    "logging.level=loud": "logging.level: expected one of",
    "task=gym task.entry_point=gymnasium:make task.arguments=[1,2]": "task.arguments: expected",
    "robot=unicorn": "no such option",
    "foo": "expected key=value",
    "run_root=null": "run_root: expected a folder",
}
BAD_FOR_A_LEARNER = {
    "algo.gamma=7": "gamma: expected a number within [0, 1], found 7",
    "algo.num_critics=0": "num_critics: expected at least 1, found 0",
    "algo.critic_hidden=[0]": "critic_hidden[0]: expected at least 1",
    "policy.obs_horizon=0": "obs_horizon: expected at least 1",
    "learner.threads=0": "threads: expected a number above 0",
    "demo.eval_episodes=0": "eval_episodes: expected at least 1",
}
# What else each verb needs to get as far as its configuration.
FIRST = {
    "record": [],
    "learn": [],
    "act": [],
    "demo": [],
    "eval": [],
    "export": [],
    "film": ["--before", "nothing"],
    "teleop": ["device=keyboard"],
    "show": [],
    "run": ["--policy", "nothing.onnx"],
}
NEW = [  # on a run that does not exist yet
    ("record", "task.expert=null", "task.expert: demonstrations need an expert"),
    ("record", "task.entry_point=nowhere:Task", "cannot import 'nowhere'"),
    ("record", "task.scene.fixtures.goal.radius_m=-1", "radius_m: expected a number above 0"),
    ("record", "task.settings.goal_range_m=[0,0]", "goal_range_m: expected a list of 3"),
    ("record", "task.settings.start_position_m=[3,0,0.2]", "out of the arm's reach"),
    ("record", "+task.settings.extra=3", "task.settings: unknown key 'extra'"),
    ("record", "robot=crisp_fr3", "start it with ros2 launch"),
    ("record", "device=spacemouse device.socket=/nowhere/spnav.sock", "is spacenavd running"),
    ("record", "reward=classifier reward.model=nothing.onnx", "reward.model: expected a classifier"),
    ("record", "reward.entry_point=nowhere:Reward", "cannot import 'nowhere'"),
    ("demo", "task.expert=null", "task.expert: demonstrations need an expert"),
    ("demo", "task.entry_point=nowhere:Task", "cannot import 'nowhere'"),
    ("demo", "robot=crisp_fr3", "start it with ros2 launch"),
    ("learn", "transport.address=bogus", "address: expected tcp://<host>:<port>"),
    ("learn", "transport.address=tcp://0.0.0.0:5555", "without keys only loopback"),
    ("learn", "transport=network transport.host=127.0.0.1", "expected a key file"),
    ("learn", "--demos nothing", "nothing"),
    ("act", "transport.address=bogus", "address: expected tcp://<host>:<port>"),
    ("act", "transport=network transport.host=127.0.0.1", "expected a key file"),
    ("act", "actor.exploration.max_env_steps=100", "learner.start_transitions = 200"),
    ("act", "transport.min_free_bytes=1000000000000000", "free some space"),
    ("act", "actor.uplink_timeout_s=0.2 transport.address=tcp://127.0.0.1:1", "actor.uplink_timeout_s"),
    ("act", "robot=crisp_fr3", "start it with ros2 launch"),
    ("eval", "", "run_name: expected the name of a run"),
    ("eval", "run_name=none", "run none: expected a folder"),
    ("eval", "--checkpoint nothing", "nothing: expected a policy file"),
    (
        "eval",
        "--checkpoint nothing --json nowhere/x.json",
        "--json nowhere/x.json: expected a file",
    ),
    ("export", "", "run_name: expected the run whose policy"),
    ("export", "--checkpoint nothing", "nothing: expected a policy file"),
    ("export", "--checkpoint nothing --output .", "found a folder of that name"),
    ("film", "--before nothing", "run_name: expected the name of a run"),
    ("run", "--policy nothing", "expected a policy's ONNX file"),
    ("run", "--policy nothing --episodes 0", "--episodes: expected at least 1"),
    ("teleop", "", "give device=keyboard"),
    ("show", "robot.kind=hover", "robot.kind: unknown key"),
    ("report", "", "run_name: expected the name of a run"),
    ("report", "run_name=none", "run none: expected a folder"),
    ("report", "run_name=none seed=3", "report: expected only run_root=... and run_name=..., found 'seed=3'"),
    ("runs", "robot=mock", "runs: expected only run_root=..., found 'robot=mock'"),
    ("runs", "run_root=null", "run_root: expected a folder, found None"),
    ("report", "run_root=null run_name=x", "run_root: expected a folder, found None"),
    ("runs", "list --yes", "runs list: expected no --yes"),
    ("runs", "archive none --all", "runs archive: expected no --all"),
    ("runs", "prune none", "run none: expected a folder"),
    ("runs", "compare none other", "run none: expected a folder"),
    ("runs", "compare none", "expected 2 to 6 runs or groups, found 1"),
    ("replay", "nothing", "nothing"),
    ("inspect", "nothing", "expected one folder with a demo set or a log"),
    ("relabel", "nothing 0 --success", "nothing"),
    ("relabel", "nothing --reward classifier reward.model=nothing.onnx", "reward.model: expected a classifier"),
    ("reward", "train nothing", "nothing: expected a set of examples, a demo set or a log"),
    ("reward", "train nothing classifier.updates=0", "updates: expected at least 1"),
    ("reward", "check nothing reward.model=nothing.onnx", "reward.model: expected a classifier"),
    ("reward", "record reward=task", "expected no setting of the reward, found reward=task"),
    ("reward", "record task=reach classifier.stages=[near,done]", "expected the task's reward terms (reached)"),
    ("keys", "make --fingerprint ab --folder keys", "--fingerprint: expected with `pair` alone"),
    ("keys", "list --actor-id x --folder keys", "--actor-id: expected with `pair actor FILE` alone"),
    ("keys", "pair actor nothing --folder keys", "nothing"),
    ("keys", "nonsense --folder keys", "expected one of: make"),
]
KEPT = [  # on a run that has demonstrations of reach
    ("record", "task=pick_place run_name=kept", "expected its own task, steadyhand.robot_envs.tasks.reach:Reach"),
    ("record", "task.drive.action_scale_m=0.02 run_name=kept", "expected the action scales of the set"),
    ("record", "device=spacemouse device.socket=/nowhere/spnav.sock run_name=kept", "is spacenavd running"),
    ("demo", "task=pick_place run_name=kept", "expected its own task"),
    ("demo", "task.entry_point=nowhere:Task run_name=kept", "expected its own task"),
    ("learn", "task=pick_place run_name=kept", "expected its own task"),
    ("learn", "policy.observation_keys=[nothing] run_name=kept", "nothing"),
    ("learn", "transport.address=tcp://127.0.0.1:{taken} run_name=kept", "transport.address"),
    ("act", "task=pick_place run_name=kept", "expected its own task"),
    ("act", "actor.uplink_timeout_s=0.2 transport.address=tcp://127.0.0.1:1 run_name=kept", "actor.uplink_timeout_s"),
    ("eval", "run_name=kept", "checkpoint"),
    ("eval", "run_name=kept --json kept", "expected a file that can be written"),
    ("export", "run_name=kept", "checkpoint"),
    ("export", "run_name=kept --output kept/demos", "found a folder of that name"),
    ("film", "--before nothing run_name=kept", "nothing: expected a policy file"),
    ("film", "--before nothing run_name=kept demo.film_episodes=0", "film_episodes: expected at least 1"),
    ("relabel", "kept/demos 7 --success", "no episode 7"),
    ("relabel", "kept/demos 0 --success --reward nan", "expected finite rewards"),
    ("relabel", "kept/demos 0 --success seed=1", "found also seed=1"),
    ("relabel", "kept/demos --reward classifier reward.model=nothing.onnx", "reward.model: expected a classifier"),
    ("relabel", "kept/demos --reward nothing", "reward=nothing: no such option"),
    ("runs", "prune kept extra", "expected list, compare <names>, archive <name> or prune"),
    ("relabel", "kept --reward task", "expected practice logs in kept/log, found none"),
    ("relabel", "kept 0 --reward task", "expected a session's log in kept/log with an episode, found a run"),
    ("reward", "train kept/demos --output kept", "expected a file that can be written"),
    ("reward", "record task=pick_place run_name=kept run_root=.", "expected its own task"),
    ("runs", "prune kept --all --yes", "it has demonstrations"),
]


def tree(folder: Path) -> dict[str, str]:
    """Every folder and file below `folder`, with what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with a run that has two demonstrations of reach."""
    root = tmp_path_factory.mktemp("kept")
    assert main(["record", "task=reach", "demo.demos=2", f"run_root={root}", "run_name=kept", SMALL]) == 0
    return root


SMALL = "transport.segment_bytes=1000000"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


def refused(root: Path, monkeypatch, capsys, verb: str, words: list[str]) -> str:
    """Run a command in `root` that must be refused, and return its line."""
    monkeypatch.chdir(root)
    before = tree(root)
    capsys.readouterr()
    task = ["task=reach", SMALL, "logging.level=error"] if verb in FIRST else []
    own = [] if any(word.startswith("run_root=") for word in words) else ["run_root=."]
    status = main([verb, *task, *(own if verb in {*FIRST, "runs", "report"} else []), *words])
    captured = capsys.readouterr()
    assert tree(root) == before
    assert status == 2, captured
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith(f"steadyhand {verb}: ")
    return captured.err


def test_every_verb_is_here_but_those_that_leave_nothing_behind():
    assert {verb for verb, _, _ in NEW} | {"doctor", "completion", "calibrate", "cameras", "data", "log"} == set(VERBS)


@pytest.mark.parametrize("bad", BAD | BAD_FOR_A_LEARNER)
def test_a_configuration_that_cannot_be_is_refused(tmp_path, monkeypatch, capsys, bad):
    expected = (BAD | BAD_FOR_A_LEARNER)[bad]
    assert expected in refused(tmp_path, monkeypatch, capsys, "record", bad.split())


# One of each kind: a key, a group, a number. The check is the same for all verbs.
@pytest.mark.parametrize("bad", ["+extra=3", "~task", "actor.max_env_steps=0"])
@pytest.mark.parametrize("verb", [verb for verb in FIRST if verb != "record"])
def test_every_verb_checks_the_configuration_first(tmp_path, monkeypatch, capsys, verb, bad):
    assert BAD[bad] in refused(tmp_path, monkeypatch, capsys, verb, [*FIRST[verb], *bad.split()])


@pytest.mark.parametrize("verb", [verb for verb in FIRST if verb not in ("record", "run")])
def test_every_verb_that_may_have_torch_checks_the_learners_numbers_too(tmp_path, monkeypatch, capsys, verb):
    line = refused(tmp_path, monkeypatch, capsys, verb, [*FIRST[verb], "algo.gamma=7"])
    assert BAD_FOR_A_LEARNER["algo.gamma=7"] in line


@pytest.mark.parametrize(("verb", "words", "expected"), NEW)
def test_a_new_run_is_not_begun(tmp_path, monkeypatch, capsys, verb, words, expected):
    assert expected in refused(tmp_path, monkeypatch, capsys, verb, words.split())


@pytest.mark.parametrize(("verb", "words", "expected"), KEPT)
def test_a_run_that_is_there_stays_as_it_is(kept, monkeypatch, capsys, verb, words, expected):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = words.format(taken=taken.getsockname()[1])
        assert expected in refused(kept, monkeypatch, capsys, verb, given.split())
