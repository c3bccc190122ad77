"""A robot of primitive geometry in MuJoCo, behind the same contracts as a real one."""

import ctypes.util
import os
import sys

_OFF_SCREEN = {"egl": "EGL", "osmesa": "OSMesa"}

# MuJoCo chooses its OpenGL backend when it is imported, and cannot be imported with one whose library is missing.
# Without a display only an off-screen one can render; with none of them the mock works, and only its cameras refuse.
if sys.platform == "linux" and not os.environ.get("DISPLAY") and "MUJOCO_GL" not in os.environ:
    for _backend, _library in _OFF_SCREEN.items():
        if ctypes.util.find_library(_library):
            os.environ["MUJOCO_GL"] = _backend
            break
