"""The ROS 2 package `actor`; its Python module is `actor_ros`, so that it cannot shadow the core package `actor`."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
SHARE = "share/actor"


def files(folder: str, *patterns: str) -> list[str]:
    """Return the files of a folder relative to this one, as setuptools requires."""
    found = {path for pattern in patterns for path in (HERE / folder).glob(pattern)}
    return sorted(str(path.relative_to(HERE)) for path in found)


class BuildModules(build_py):
    """Build step that notes the virtual environment of the build, whose Python the launch file uses for the nodes."""

    def run(self) -> None:
        """Build, and write the note beside the modules, where `actor_ros.interpreter` reads it."""
        super().run()
        if sys.prefix != sys.base_prefix:
            self.note.write_text(sys.executable, encoding="utf-8")

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the outputs including the note, so that an uninstall removes it."""
        return [*super().get_outputs(include_bytecode), *([str(self.note)] if self.note.is_file() else [])]

    @property
    def note(self) -> Path:
        """Return the path of the note in the build folder."""
        return Path(self.build_lib) / "actor_ros" / "built_by.txt"


setup(
    name="actor",
    version="0.1.0",
    description="Steadyhand's actor, command watchdog and mock robot as ROS 2 nodes.",
    maintainer="Steadyhand maintainers",
    maintainer_email="maintainers@steadyhand.example.org",
    license="Apache-2.0",
    packages=["actor_ros"],
    package_data={"actor_ros": ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/actor"]),
        (SHARE, ["package.xml"]),
        (f"{SHARE}/launch", files("launch", "*.launch.py")),
        (f"{SHARE}/config", files("config", "*.yaml", "*.xml", "*.json")),
    ],
    cmdclass={"build_py": BuildModules},
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "actor_node = actor_ros.actor_node:main",
            "calibrate_node = actor_ros.calibrate_node:main",
            "watchdog_node = actor_ros.watchdog_node:main",
            "mock_robot_node = actor_ros.mock_robot_node:main",
            "recorder_node = actor_ros.recorder_node:main",
        ]
    },
)
