"""The way from a stranger's data set to a policy, by one command."""

import json
import sys
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.demo_compat import check_demos
from steadyhand.face.recorded import read_log
from steadyhand.job import open_job
from steadyhand.learner.algos.bc import BcSettings
from steadyhand.learner.config import FitConfig
from steadyhand.learner.fit_bc import fit_bc, open_store
from steadyhand.pipeline.cloning import clone
from steadyhand.transport.demo_set import read_manifest
from tests.unit.actor.point_env import STEP
from tests.unit.learner.conftest import make_spec  # noqa: F401
from tests.unit.steadyhand import point_task
from tests.unit.steadyhand.data.data_kit import pictures, refused, schema, tree, vector, view, write_set, write_stranger

HUNDREDTHS = 100.0  # a stranger's actions are in percent
TASK = [f"task.entry_point={point_task.HERE}:make", "task=gym", "task.reward=success", "task.terminate_on_success=true"]
MAPPING = [
    *("--observation", "position=observation.state[0:2]", "--observation", "to_goal=observation.state[2:4]"),
    *("--map", "map.yaml"),
]
YAML = "action_low: [-100, -100]\naction_high: 100\n"


def walk(rng):
    """Return state (T, 4) and action (T, 2) [%] of a straight walk to the goal, in the world of `PointEnv`."""
    position, goal = rng.uniform(-1, 1, (2, 2))
    states, actions = [], []
    for _ in range(20):
        to_goal = goal - position
        action = np.clip(to_goal / STEP, -1, 1)
        states.append([*position, *to_goal])
        actions.append(action * HUNDREDTHS)
        position = position + STEP * action
        if np.linalg.norm(goal - position) < STEP:
            break
    return np.array(states), np.array(actions), {}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.yaml").write_text(YAML)
    rng = np.random.default_rng(0)
    write_stranger(tmp_path / "theirs", [walk(rng) for _ in range(12)])
    return tmp_path


def test_a_strangers_set_becomes_demonstrations(here, capsys):
    assert main(["data", "import", "theirs", "demos", *MAPPING, *TASK]) == 0
    told = capsys.readouterr().out
    assert "12 episodes, 12 successes" in told
    assert "note: the set has no observation after the last step" in told
    # True of a walk that is straight and fast; nothing else is found.
    assert told.count("warning: ") == told.count("is at its limit in") == 2
    manifest = read_manifest(here / "demos")
    assert (manifest.episodes, manifest.expert) == (12, "LeRobotDataset v3.0")
    first = read_log(here / "demos").episode(0)
    states, actions, _ = walk(np.random.default_rng(0))
    np.testing.assert_allclose(first.actions, actions / HUNDREDTHS, atol=1e-6)
    np.testing.assert_allclose(first.observations["to_goal"][:-1], states[:, 2:], atol=1e-6)


@pytest.mark.slow
def test_a_strangers_set_teaches_a_policy(here, tmp_path):
    assert main(["data", "import", "theirs", "demos", *MAPPING, *TASK]) == 0
    job = open_job([*point_task.OVERRIDES, f"run_root={tmp_path / 'runs'}", "run_name=cloned"])
    check_demos(job, [here / "demos"])
    policy = clone(job, [here / "demos"])
    assert policy.policy_version > 0
    from steadyhand.pipeline.evaluation import evaluate

    assert evaluate(job, policy, 10, 5).successes >= 8


def test_behaviour_cloning_accepts_vectors_and_frames(here, make_spec):  # noqa: F811
    rng = np.random.default_rng(1)
    frames = [
        (
            rng.normal(size=(8, 3)).astype(np.float32),
            rng.uniform(-1, 1, (8, 2)),
            {"wrist": pictures(8, (32, 48, 3), rng)},
        )
        for _ in range(3)
    ]
    write_stranger(here / "frames", frames, views=("wrist",), rewards=False)
    write_set(here / "like", schema(vector("state"), view()))
    words = ["data", "import", "frames", "demos", "--like", "like", "--success", "all"]
    assert main(words) == 0
    store, readers = open_store([here / "demos"])
    assert len(store.imitated) == 24
    settings = BcSettings(batch_size=8, loss="mse", policy_lr=1e-3, image_shift=0)
    (candidate,) = fit_bc(store, make_spec(), settings, FitConfig(epochs=1, validation_share=0.0, candidates=1), seed=0)
    assert np.isfinite(candidate.train_loss)
    for reader in readers:
        reader.close()


def test_transitions_of_serl_become_demonstrations(here):
    """Its observations are stacks of one, and its actions are within [-1, 1] already."""
    rng = np.random.default_rng(1)
    transitions = []
    for _ in range(2):
        seen = [{"state": rng.normal(size=(1, 3)), "wrist": pictures(1, (32, 48, 3), rng)} for _ in range(4)]
        for step in range(3):
            last = step == 2
            one = {"observations": seen[step], "next_observations": seen[step + 1], "actions": rng.uniform(-1, 1, 2)}
            one |= {"rewards": float(last), "masks": 1.0 - last, "dones": last, "infos": {"succeed": last}}
            transitions.append(one)
    (here / "demos.pkl").write_bytes(bytes(ForkingPickler.dumps(transitions)))
    write_set(here / "like", schema(vector("state"), view()))
    assert main(["data", "import", "demos.pkl", "demos", "--like", "like"]) == 0
    for number, episode in enumerate(read_log(here / "demos")):
        wanted = [one["actions"] for one in transitions[3 * number :][:3]]
        np.testing.assert_array_equal(episode.actions, np.float32(wanted))
        last = transitions[3 * number + 2]["next_observations"]
        np.testing.assert_array_equal(episode.observations["state"][-1], np.float32(last["state"][0]))
        np.testing.assert_array_equal(episode.observations["wrist"][-1], last["wrist"][0])
        assert (episode.success, bool(episode.terminated[-1])) == (True, True)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], [1, -1, -1, -1]),
        (["--gripper-start", "closed"], [-1, -1, -1, -1]),
        (["--gripper", "state"], [0, -0.95, 0, 0]),
    ],
)
def test_the_presses_of_serl_become_the_wanted_state(here, words, wanted, capsys):
    transitions = []
    for step, press in enumerate((0.0, -0.95, 0.0, 0.0)):
        last = step == 3
        one = {"observations": {"state": np.zeros((1, 3))}, "next_observations": {"state": np.zeros((1, 3))}}
        one |= {"actions": np.array([0.2, press]), "rewards": float(last), "masks": 1.0 - last, "dones": last}
        transitions.append(one | {"infos": {"succeed": last}})
    (here / "demos.pkl").write_bytes(bytes(ForkingPickler.dumps(transitions)))
    kinds = ("motion", "gripper")
    like = schema(vector("state"))
    write_set(here / "like", replace(like, action=replace(like.action, kinds=kinds)))
    assert main(["data", "import", "demos.pkl", "demos", "--like", "like", *words]) == 0
    assert ("presses became the wanted state" in capsys.readouterr().out) == ("state" not in words)
    (episode,) = read_log(here / "demos")
    np.testing.assert_array_equal(episode.actions[:, 1], np.float32(wanted))
    np.testing.assert_array_equal(episode.actions[:, 0], np.float32([0.2] * 4))


def test_presses_need_a_gripper_entry(here, capsys):
    write_set(here / "like", schema(vector("state")))
    transition = {"observations": {"state": np.zeros((1, 3))}, "next_observations": {"state": np.zeros((1, 3))}}
    transition |= {"actions": np.zeros(2), "rewards": 1.0, "masks": 0.0, "dones": True, "infos": {"succeed": True}}
    (here / "demos.pkl").write_bytes(bytes(ForkingPickler.dumps([transition])))
    assert main(["data", "import", "demos.pkl", "demos", "--like", "like", "--gripper", "press"]) == 2
    assert "gripper: expected a task whose action has a gripper entry, found none" in capsys.readouterr().err
    assert not (here / "demos").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["theirs", "new", *TASK], "expected a column for position (2), to_goal (2)"),
        (["theirs", "new", *MAPPING[:4], *TASK], "give --action-range LOW HIGH"),
        (["theirs", "new", *MAPPING], "give task=... as for `learn`, or --like DEMOS"),
        (["theirs", "new", *MAPPING, "task=gym"], "entry_point"),
        (["theirs", "new", *MAPPING, *TASK, "task.control_period_s=0.05"], "found 0.1 s (10 Hz)"),
        (["theirs", "new", *MAPPING, "--episodes", "40", *TASK], "expected episodes of 0, 1"),
        (["theirs", "map.yaml", *MAPPING, *TASK], "expected a new file or folder"),
        (
            ["theirs", "new", *MAPPING[:4], "--action-range", "low", "high", *TASK],
            "expected numbers separated by commas",
        ),
        (["theirs", "new", "--observation", "pose", *TASK], "expected FIELD=COLUMN"),
        (["map.yaml", "new", *TASK], "expected a LeRobot or Minari folder"),
        (["nothing", "new", *TASK], "expected a LeRobot or Minari folder"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_left(here, capsys, words, told):
    before = tree(here)
    assert told in refused(capsys, "data", "import", *words)
    assert tree(here) == before


def test_an_episode_that_does_not_fit_leaves_no_half_of_a_set(here, capsys):
    """The first episodes are written before the one with NaN is found."""
    rng = np.random.default_rng(0)
    episodes = [walk(rng) for _ in range(3)]
    episodes[2][1][0] = np.nan
    write_stranger(here / "broken", episodes)
    before = tree(here)
    line = refused(capsys, "data", "import", "broken", "out/demos", *MAPPING, *TASK)
    assert "episode 2: expected finite actions" in line
    assert tree(here) == before
    assert main(["data", "import", "broken", "out/demos", *MAPPING, "--episodes", "0-1", *TASK]) == 0


def test_warnings_follow_the_result(here, capsys):
    rng = np.random.default_rng(0)
    states, actions, _ = walk(rng)
    actions[:, 1] = 50
    write_stranger(here / "stuck", [(states, actions, {})] * 2)
    assert main(["data", "import", "stuck", "demos", *MAPPING, *TASK]) == 0
    told = capsys.readouterr().out
    assert "warning: action axis 1 is always 0.5" in told
    assert "warning: episodes 0, 1 are the same recording" in told


def test_inspect_names_the_command_that_imports(here, capsys):
    line = refused(capsys, "inspect", "theirs")
    assert "a LeRobot data set, v3.0" in line
    assert "`steadyhand data import theirs OUT task=...`" in line


def test_a_missing_package_names_its_extra(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert "pip install '.[data]'" in refused(capsys, "data", "import", "theirs", "new", *MAPPING, *TASK)


def test_an_export_says_its_own_task(here):
    demos = write_set(here / "mine")
    assert main(["data", "export", str(demos), "out", "--to", "lerobot"]) == 0
    own = here / "out" / "meta" / "steadyhand.json"
    own.write_text(json.dumps(json.loads(own.read_text()) | {"schema": {"action": 3}}))
    assert main(["data", "import", "out", "back"]) == 2
