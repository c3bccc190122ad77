"""The names of `import steadyhand as sh`, used as a program uses them."""

import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import steadyhand as sh
from steadyhand.actor.episode_metrics import read_rows
from steadyhand.face.environments import task_overrides
from steadyhand.robot_envs.rewards.task import TaskReward
from steadyhand.runtime.build import ConfigError
from steadyhand.transport.demo_set import read_manifest
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.log import LogError
from steadyhand.transport.record import Phase
from tests.unit.actor.point_env import PointEnv
from tests.unit.steadyhand.point_task import OVERRIDES, PointExpert

ROOT = Path(__file__).resolve().parents[4]
# The environment and the expert are given as objects here.
SMALL = [word for word in OVERRIDES if not word.startswith(("task=", "task.entry_point", "task.expert"))]
QUIET = ["logging.console=off", "logging.level=warning"]


class Line(gymnasium.Env):
    """A point on a line: pushes are within [-2, 2], and the episode is done beyond 1."""

    observation_space = spaces.Box(-10.0, 10.0, (1,), np.float32)
    action_space = spaces.Box(-2.0, 2.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = 0.0, 0
        return np.array([0.0], np.float32), {}

    def step(self, action):
        self.place, self.steps = self.place + 0.1 * float(action[0]), self.steps + 1
        done = self.place > 1.0
        return np.array([self.place], np.float32), float(done), done, self.steps >= 30, {"success": done}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "point"
    return sh.train(PointEnv(frames=True), *SMALL, *QUIET, "logging.picture_every=4", run=run, expert=PointExpert)


def test_the_face_is_imported_when_it_is_used():
    code = (
        "import sys, steadyhand as sh; assert not {'torch', 'numpy', 'hydra'} & set(sys.modules); "
        "assert 'train' in dir(sh); sh.compose; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_every_name_is_there_and_no_other():
    assert all(getattr(sh, name) is not None for name in sh.__all__)
    with pytest.raises(AttributeError, match="no attribute 'practise'"):
        _ = sh.practise


def test_a_configuration_is_composed_and_checked():
    assert sh.compose("task=reach", "learner.utd_ratio=2")["learner"]["utd_ratio"] == 2
    with pytest.raises(ConfigError, match="seed"):
        sh.compose("seed=-1")


def test_the_mock_robot_is_one_call():
    env = sh.make_env("task=reach", "seed=3")
    observation, _ = env.reset(seed=0)
    assert observation["goal"].shape == (3,)
    assert env.step(np.zeros(6, np.float32))[4]["stop_reason"] == ""
    env.close()


def test_a_gymnasium_environment_is_wrapped_and_scaled():
    inner = Line()
    env = sh.make_env(inner)
    observation, _ = env.reset(seed=0)
    assert observation["state"].tolist() == [0.0]
    observation, *_ = env.step(np.array([0.5], np.float32))
    assert observation["state"] == pytest.approx([0.1])


def test_a_registered_environment_is_named_by_its_id_and_arguments():
    env = gymnasium.make("Pendulum-v1", g=9.81, max_episode_steps=50)
    words = task_overrides(env)
    config = sh.compose(*words)
    assert config["task"]["entry_point"] == "gymnasium:make"
    assert config["task"]["arguments"] == {"id": "Pendulum-v1", "g": 9.81, "max_episode_steps": 50}
    again = sh.make_env(*words)
    assert again.inner.spec.max_episode_steps == 50


def test_an_environment_with_wrappers_of_the_callers_is_not_taken_for_the_bare_one():
    env = gymnasium.wrappers.TransformReward(gymnasium.make("Pendulum-v1"), abs)
    assert task_overrides(env)[1].endswith("TransformReward")


def test_texts_of_arguments_survive_the_override():
    env = gymnasium.make("Pendulum-v1")
    env.spec.kwargs.update({"name": "it's [a] {b}, c", "none": None, "flag": True, "list": [1, 2.5, {"x": "y"}]})
    found = sh.compose(*task_overrides(env))["task"]["arguments"]
    assert found["name"] == "it's [a] {b}, c"
    assert found["none"] is None
    assert found["flag"] is True
    assert found["list"] == [1, 2.5, {"x": "y"}]


def test_an_argument_that_is_no_plain_value_is_refused():
    env = gymnasium.make("Pendulum-v1")
    env.spec.kwargs["model"] = object()
    with pytest.raises(ConfigError, match="expected plain arguments"):
        task_overrides(env)


def test_training_ends_with_a_policy_and_all_of_its_records(trained):
    assert trained.summary.end_reason == "max_env_steps"
    assert trained.summary.env_steps >= 150
    assert trained.summary.updates >= 25
    assert read_manifest(trained.run / "demos").successes == 5
    assert trained.policy.saved.policy_version > 0
    (session,) = (trained.run / "actors").glob("*/outbox/*")
    sent, stored = sh.read_log(session), sh.read_log(trained.run / "log" / session.name)
    assert sent.facts.steps == stored.facts.steps == trained.summary.env_steps


def test_tensorboard_shows_actor_and_learner(trained):
    board = trained.run / "metrics" / "tensorboard"
    (practice,) = board.glob("actor-*")
    actor, learner = (EventAccumulator(str(path)).Reload() for path in (practice, board))
    rows = read_rows(next((trained.run / "actors").glob("*/actor.jsonl")))
    logged = actor.Scalars("practice/return")
    assert [event.step for event in logged] == [row["env_steps"] for row in rows]
    assert [event.value for event in logged] == pytest.approx([row["return"] for row in rows])
    names = ("success", "intervention_share", "duration_s", "robot_minutes", "human_minutes")
    assert {f"practice/{name}" for name in names} <= set(actor.Tags()["scalars"])
    assert len(actor.Images("camera/camera")) == -(-len(rows) // 4)
    assert "critic_loss" in learner.Tags()["scalars"]
    assert all(any("hparams" in tag for tag in one.summary_metadata) for one in (actor, learner))


def test_training_goes_on_in_a_run_that_is_there(trained, tmp_path):
    run = tmp_path / "point"
    first = sh.train(PointEnv(), *SMALL, *QUIET, "actor.max_env_steps=30", run=run, expert=PointExpert)
    second = sh.train(PointEnv(), *SMALL, *QUIET, "actor.max_env_steps=60", run=run, expert=PointExpert)
    assert first.summary.env_steps < 60 <= second.summary.env_steps
    assert read_manifest(run / "demos").episodes == 5


def test_without_demonstrations_the_first_steps_are_random(tmp_path):
    done = sh.train(PointEnv(), *SMALL, *QUIET, "actor.max_env_steps=60", run=tmp_path / "alone")
    assert not list((done.run / "demos").iterdir())
    (session,) = (done.run / "actors").glob("*/outbox/*")
    episodes = list(sh.read_log(session))
    assert not any(episode.has_human.any() for episode in episodes)
    assert done.summary.updates > 0


def test_an_environment_in_real_time_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="steadyhand learn"):
        sh.train("task=reach", "robot.world.pace=realtime", *QUIET, run=tmp_path / "real")
    assert not (tmp_path / "real").exists()


def test_a_trained_policy_acts_and_is_evaluated(trained):
    policy = sh.Policy.load(trained.run)
    env = sh.make_env(PointEnv(), *SMALL)
    observation, _ = env.reset(seed=0)
    first = policy.act(observation)
    assert first.shape == env.action_space.shape
    assert (np.abs(first) <= 1.0).all()
    policy.reset()
    np.testing.assert_array_equal(policy.act(observation), first)
    result = sh.evaluate(policy, PointEnv(), episodes=4)
    assert result.episodes == 4
    assert result.interventions == 0


def test_evaluation_makes_the_environment_that_the_run_names(trained):
    one, other = (sh.evaluate(trained.run, episodes=3, seed=2) for _ in range(2))
    assert one == other


def test_a_policy_file_needs_to_be_told_its_environment(trained, tmp_path):
    (checkpoint,) = list((trained.run / "checkpoints").iterdir())[-1:]
    policy = sh.Policy.load(checkpoint)
    assert policy.run is None
    with pytest.raises(ConfigError, match="expected an environment"):
        sh.evaluate(policy)
    assert sh.evaluate(policy, PointEnv(), *SMALL, episodes=1).episodes == 1


def test_a_missing_field_of_an_observation_is_one_line(trained):
    with pytest.raises(ValueError, match=r"observation position: expected \(2,\) float32, found 'nothing'"):
        trained.policy.act({"nothing": np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match=r"observation position: .*found '\(3,\) float64'"):
        trained.policy.act({name: np.zeros(3) for name in trained.policy.inputs})


def test_demonstrations_are_recorded_and_read_as_arrays(tmp_path):
    folder = sh.record(PointEnv(), *SMALL, "demo.demos=2", *QUIET, run=tmp_path / "run", expert=PointExpert)
    log = sh.read_log(folder)
    assert len(log) == 2
    for episode in log:
        steps = len(episode)
        assert episode.phase is Phase.DEMO
        assert episode.success
        assert episode.observations["to_goal"].shape == (steps + 1, 2)
        assert episode.actions.shape == episode.human_actions.shape == (steps, 2)
        assert episode.has_human.all()
        assert episode.rewards.tolist() == [0.0] * (steps - 1) + [1.0]
        assert episode.terminated.tolist() == [False] * (steps - 1) + [True]
    with pytest.raises(LogError, match="expected episode 7, found only 0, 1"):
        log.episode(7)


def test_labels_count_in_what_is_read(tmp_path):
    folder = sh.record(PointEnv(), *SMALL, "demo.demos=2", *QUIET, run=tmp_path / "run", expert=PointExpert)
    log = sh.read_log(folder)
    steps = len(log.episode(0))
    label = Label(log.facts.session_id, steps - 1, steps, (0.25,), (False,), None, "a test", "2026-01-01T00:00:00Z")
    append_label(folder, label)
    first, second = sh.read_log(folder)
    assert first.rewards[-1] == 0.25
    assert not first.terminated.any()
    assert second.rewards[-1] == 1.0


def test_an_environment_that_was_not_made_here_is_refused():
    env = sh.make_env(Line())
    assert sh.make_env(env) is env
    with pytest.raises(ConfigError, match=r"expected one that steadyhand\.make_env has made"):
        sh.make_env(type(env)(Line(), env._config, TaskReward()))


def test_what_is_no_environment_is_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"^env: expected an override such as 'task=reach' or .*, found a list$"):
        sh.make_env(["task=reach"])
