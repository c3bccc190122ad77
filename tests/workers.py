"""Distributes tests over the workers of pytest-xdist: a pytest plugin, loaded by the `conftest.py` above.

Under `-n N --dist loadfile` a test file stays on one worker, so that the fixtures of its module are made once. All
files with a test that is marked `realtime` go to one worker, where they run one after the other: two robots in real
time never share the machine.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling
    from xdist.workermanage import WorkerController

__all__ = ["REALTIME"]

REALTIME = "realtime"
# Only a worker collects tests, and only the process that started it distributes them; this file is between them.
TIMED_FILES = "timed_files"


class Distribution:
    """The part in the process that starts the workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: Path | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        self._told = self._folder / f"{node.gateway.id}.json"
        node.workerinput[TIMED_FILES] = str(self._told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
        if config.getoption("dist") != "loadfile":
            return None
        from xdist.scheduler import LoadFileScheduling

        distribution = self

        class RealtimeScheduling(LoadFileScheduling):
            def _split_scope(self, nodeid: str) -> str:
                file = super()._split_scope(nodeid)
                return REALTIME if file in distribution.timed else file

        return RealtimeScheduling(config, log)

    @property
    def timed(self) -> frozenset[str]:
        """The files with tests in real time, as node ids name them; all workers have collected the same."""
        if not hasattr(self, "_timed"):
            assert self._told is not None
            self._timed = frozenset(json.loads(self._told.read_text(encoding="utf-8")))
        return self._timed


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        config.pluginmanager.register(Distribution(Path(folder.name)))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the process that started this worker which files have tests in real time."""
    told: dict[str, Any] = getattr(session.config, "workerinput", {})
    if TIMED_FILES in told:
        timed = {item.nodeid.partition("::")[0] for item in session.items if item.get_closest_marker(REALTIME)}
        Path(told[TIMED_FILES]).write_text(json.dumps(sorted(timed)), encoding="utf-8")
