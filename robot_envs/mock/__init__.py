"""A robot of primitive geometry in MuJoCo, behind the same contracts as a real one."""

import os
import sys

# MuJoCo chooses its OpenGL backend when it is imported. Without a display only an off-screen one can work.
if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("MUJOCO_GL", "egl")
