"""Distributes tests over the workers of pytest-xdist: a pytest plugin, loaded by the `conftest.py` above.

Under `-n N --dist loadfile` a test file stays on one worker, so that the fixtures of its module are made once. Files
with a test of one `xdist_group` go to one worker, where they run one after the other: two robots over DDS never share
the machine. (xdist's own `--dist loadgroup` splits up files without a group, and pytest 9 hides its groups.)
Files with the most slow tests start first, so that no worker waits for the other's long file at the end.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling
    from xdist.workermanage import WorkerController

__all__ = ["Distribution"]

# A worker alone collects tests, and the process that started it alone distributes them; this file is between them.
GROUPS = "groups_of_files"


class Distribution:
    """The part in the process that starts the workers.

    Args:
        folder: For what the workers say.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: Path | None = None
        self._groups: dict[str, str] | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        self._told = self._folder / f"{node.gateway.id}.json"
        node.workerinput[GROUPS] = str(self._told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
        if config.getoption("dist") != "loadfile":
            return None
        from xdist.scheduler import LoadFileScheduling

        config.option.loadscopereorder = False  # by the number of tests: the order is that of the collection
        group_of = self._group_of

        class GroupScheduling(LoadFileScheduling):
            def _split_scope(self, nodeid: str) -> str:
                return group_of(super()._split_scope(nodeid))

        return GroupScheduling(config, log)

    def _group_of(self, file: str) -> str:
        """Return the group of a file, and the file itself if it has none; asked when all workers have collected."""
        if self._groups is None:
            assert self._told is not None
            self._groups = json.loads(self._told.read_text(encoding="utf-8"))
        return self._groups.get(file, file)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        config.pluginmanager.register(Distribution(Path(folder.name)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the files of a worker: those with the most slow tests first, then those with the most tests."""
    if hasattr(config, "workerinput"):
        tests = Counter(item.path for item in items)
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: (-slow[item.path], -tests[item.path]))


@pytest.hookimpl(tryfirst=True)  # before xdist says that this worker has collected
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the process that started this worker which files belong together."""
    told: dict[str, Any] = getattr(session.config, "workerinput", {})
    if GROUPS in told:
        marks = ((item.nodeid.partition("::")[0], item.get_closest_marker("xdist_group")) for item in session.items)
        groups = {file: str(mark.args[0]) for file, mark in marks if mark}
        Path(told[GROUPS]).write_text(json.dumps(groups), encoding="utf-8")
