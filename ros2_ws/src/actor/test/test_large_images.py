"""The FastDDS profile that is shipped for large images: what it is for, and that it does it."""

import os
import subprocess
import sys

import pytest
from ros_kit import PACKAGE, ROOT

COUNT = 45
PROFILE = PACKAGE / "config/fastdds_large_images.xml"


def received(profile: str) -> int:
    path = os.pathsep.join([str(PACKAGE), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    environment.pop("FASTRTPS_DEFAULT_PROFILES_FILE", None)
    if profile:
        environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = profile
    command = [sys.executable, str(PACKAGE / "test/image_link.py")]
    sides = [
        subprocess.Popen([*command, role, str(COUNT)], env=environment, stdout=subprocess.PIPE, text=True)
        for role in ("receive", "send")
    ]
    try:
        output = sides[0].communicate(timeout=40)[0]
        sides[1].wait(20)
    finally:
        for side in sides:
            side.kill()
    return int(output)


@pytest.mark.slow
def test_frames_of_640_by_480_arrive_with_the_profile_and_not_without(dds):
    assert received(str(PROFILE)) == COUNT
    # How many are lost depends on when the receiver happens to run.
    assert any(received("") < COUNT for _ in range(5)), "the profile would not be needed any more"
