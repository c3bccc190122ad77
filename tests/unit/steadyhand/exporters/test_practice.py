import numpy as np
import pytest

from steadyhand.actor.events import EpisodeBegan, EpisodeLogged, Events
from steadyhand.exporters.practice import PracticeExport
from steadyhand.transport.record import Phase


class Taken:
    def __init__(self):
        self.rows, self.pictures = [], []

    def scalars(self, axis, step, values):
        self.rows.append((axis, step, values))

    def picture(self, axis, step, name, pixels):
        self.pictures.append((axis, step, name, pixels.shape))


def row(env_steps, success=True, human_steps=0):
    return {
        "episode_id": 0,
        "success": success,
        "helped": human_steps > 0,
        "human_steps": human_steps,
        "steps": 10,
        "return": float(success),
        "reset_s": 0.5,
        "duration_s": 1.0,
        "stop_reason": "",
        "policy_version": 4,
        "env_steps": env_steps,
        "control_minutes": 0.5,
        "robot_minutes": 0.75,
        "human_minutes": 0.25,
    }


def began(phase=Phase.TRAIN):
    observation = {"wrist": np.zeros((4, 6, 3), np.uint8), "depth": np.zeros((4, 6, 1), np.uint16), "pose": np.zeros(6)}
    return EpisodeBegan(0, phase, 0, observation)


def test_every_episode_is_a_row():
    events, taken = Events(), Taken()
    PracticeExport(events, taken, [row(5, False)], window=2, picture_every=0)
    events.emit(EpisodeLogged(row(15, True)))
    events.emit(EpisodeLogged(row(25, True, human_steps=5)))
    (_, _, first), (axis, step, second) = taken.rows
    assert (axis, step) == ("env_steps", 25)
    assert first["practice/success_alone_rate"] == 0.5
    assert (second["practice/success"], second["practice/success_alone"]) == (1.0, 0.0)
    assert second["practice/intervention_share"] == 0.5
    assert second["practice/intervention_share_last50"] == pytest.approx(5 / 30)
    assert second["practice/cycle_time_s"] == 1.0
    assert (second["practice/robot_minutes"], second["practice/human_minutes"]) == (0.75, 0.25)
    events.emit(EpisodeLogged(row(35, False)))
    assert "practice/cycle_time_s" not in taken.rows[-1][2]


def test_a_picture_of_every_camera_now_and_then():
    events, taken = Events(), Taken()
    PracticeExport(events, taken, [], window=2, picture_every=3)
    events.emit(began(Phase.DEMO))
    for _ in range(7):
        events.emit(began())
    assert taken.pictures == [("env_steps", 0, "camera/wrist", (4, 6, 3))] * 3


def test_without_pictures_no_episode_is_looked_at():
    events = Events()
    PracticeExport(events, Taken(), [], window=2, picture_every=0)
    assert not events.wants(EpisodeBegan)
