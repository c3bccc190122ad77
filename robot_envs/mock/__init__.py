"""The mock robot: primitive geometry in MuJoCo, with the same contracts as a real robot."""

import ctypes.util
import os
import sys

_OFF_SCREEN = {"egl": "EGL", "osmesa": "OSMesa"}

# MuJoCo selects its OpenGL backend on import, and the import fails if the library of that backend is missing.
# Without a display only an off-screen backend can render. Without any backend the mock works, but not its cameras.
if sys.platform == "linux" and not os.environ.get("DISPLAY") and "MUJOCO_GL" not in os.environ:
    for _backend, _library in _OFF_SCREEN.items():
        if ctypes.util.find_library(_library):
            os.environ["MUJOCO_GL"] = _backend
            break
