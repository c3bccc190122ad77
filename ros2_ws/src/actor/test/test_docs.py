"""docs/ros.md: its example folder composes, and its commands are those of the launch file, the extras and the image."""

import re

import pytest
import yaml
from ros_kit import ROOT

from actor_ros.executables import ARGUMENTS
from steadyhand.runtime.config import compose

TEXT = (ROOT / "docs/ros.md").read_text(encoding="utf-8")
INSTALL = TEXT.partition("## Install on a robot PC")[2].partition("\n## ")[0]


def blocks(text: str) -> list[str]:
    """The indented blocks of a Markdown text."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n") + "\n" for block in found]


def test_the_example_folder_composes(tmp_path, monkeypatch):
    files = {}
    for block in blocks(TEXT):
        for part in re.split(r"^(?=# ~/lab/)", block, flags=re.MULTILINE):
            if named := re.match(r"# ~/lab/(\S+)\n", part):
                files[named[1]] = part
    assert files.keys() == {"robot/my_fr3.yaml", "safety/my_cell.yaml"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("STEADYHAND_CONFIG", str(tmp_path))
    (cell,) = [yaml.safe_load(block) for block in blocks(TEXT) if block.startswith("/**:")]
    config = compose(["task=reach", "robot=my_fr3", *cell["/**"]["ros__parameters"]["overrides"]])
    assert config["robot"]["profile"]["topics"]["pose"] == "my_broadcaster/current_pose"
    assert config["safety"]["workspace_low_m"] == [0.35, -0.2, 0.02]


def test_every_launch_argument_that_is_named_exists():
    assert set(re.findall(r"\b([a-z_]+):=", TEXT)) <= ARGUMENTS.keys()


@pytest.mark.parametrize("line", [line for line in blocks(INSTALL)[0].splitlines() if line.startswith("pip")])
def test_the_image_is_installed_as_the_document_says(line):
    image = (ROOT / "docker/actor.Dockerfile").read_text(encoding="utf-8")
    words = [word for word in line.split()[2:] if not word.startswith(("setuptools", "torch"))]
    assert all(word in image for word in words)
    if "torch" in line:
        assert "torch==2.13.0" in line
        assert "torch==2.13.0" in image
