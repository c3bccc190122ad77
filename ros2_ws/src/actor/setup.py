"""The ROS 2 package `actor`; its Python module is `actor_ros`, so that it cannot shadow the core package `actor`."""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
SHARE = "share/actor"


def files(folder: str, *patterns: str) -> list[str]:
    """Name the files of a folder as setuptools wants them: relative to this one."""
    found = {path for pattern in patterns for path in (HERE / folder).glob(pattern)}
    return sorted(str(path.relative_to(HERE)) for path in found)


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
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "actor_node = actor_ros.actor_node:main",
            "watchdog_node = actor_ros.watchdog_node:main",
            "mock_robot_node = actor_ros.mock_robot_node:main",
            "recorder_node = actor_ros.recorder_node:main",
        ]
    },
)
