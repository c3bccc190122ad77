"""A mock robot under the supervision of the person at the operator page."""

import threading
from functools import partial

from steadyhand.actor.action_selector import ActionSelector, Explorer
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.config import ActorConfig
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import ActionChosen, EpisodeEnded, Events, StepEnded
from steadyhand.actor.supervision.supervise import supervised
from steadyhand.actor.web.operator_page import OperatorPage
from steadyhand.robot_envs.devices.make import make_person
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.record import Phase
from tests.config_kit import composed
from tests.events_kit import kept
from tests.robot_kit import make_robot_env
from tests.settings_kit import shipped
from tests.transport_kit import wait_until
from tests.web_kit import Page

CONFIG = shipped(ActorConfig, "actor", "actor.web.port=0").web


class Cell:
    """A mock robot in real time under the supervision of the person at the page, with a loop on a thread."""

    def __init__(self, folder, *overrides, device="web", policy=False, config=CONFIG) -> None:
        words = ("task=reach", "device=web", f"device={device}", "task.drive.max_steps=100000", *overrides)
        self.values, self.events, self.ending = composed(*words), Events(), threading.Event()
        self.chosen = kept(self.events, ActionChosen)
        self.ended = kept(self.events, EpisodeEnded)
        self.steps = kept(self.events, StepEnded)
        self.env = make_robot_env(*words)
        self.page = OperatorPage(config, self.events, "a run", folder)
        self._policy = policy

    def __enter__(self):
        values = self.values["device"]
        make = partial(make_person, values, 6)
        self._with = supervised(values, None, self.env, make, self.ending.is_set, self.events, self.page)
        self.person = self._with.__enter__()
        self.page.start()
        schema = env_schema(self.env)
        loop = ControlLoop(self.person.env, schema, lambda record: None, events=self.events)
        explorer = Explorer(6, 0.1, 0) if self._policy else None
        arbiter = Arbiter(teachable(self.env).motion_entries, AT_ONCE, schema.control_period_s)
        selector = ActionSelector(self.person.operator, arbiter, explorer=explorer)

        def run():
            episode = 0
            while not self.ending.is_set():
                loop.run_episode(episode, Phase.DEMO, selector, episode, lambda: not self.ending.is_set())
                episode += 1

        self._thread = threading.Thread(target=run)
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self.ending.set()
        self._thread.join(20)
        self.page.stop()
        self._with.__exit__(*error)
        self.env.close()

    def open(self, **how) -> Page:
        return Page(self.page.address, **how)

    def operated(self) -> Page:
        """A page that operates, after its enable, and at rest for a while."""
        page = self.open()
        page.operate()
        page.press("resume")
        wait_until(lambda: len(self.steps) > 3)
        return page
