"""`ros2 launch PACKAGE FILE [name:=value ...]` for a machine without ROS: `launch` stand-ins, and real processes.

As the real one it runs under the system's Python, sends SIGINT on to what it has started, then SIGTERM and SIGKILL at
the launch file's own times (ros2/launch, branch jazzy, launch/launch/actions/execute_local.py:444-505), and refuses an
argument without a value (ros2/launch_ros, branch jazzy, ros2launch/ros2launch/api/api.py:127-138).
"""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


def main(words):
    verb, package, name, *arguments = words
    if verb != "launch" or any(
        word.count(":=") != 1 or word.startswith(":=") or word.endswith(":=") for word in arguments
    ):
        sys.exit(f"malformed launch argument among {arguments}, expected format '<name>:=<value>'")
    from launch.actions import OpaqueFunction

    from launch import LaunchContext

    prefixes = [Path(prefix) for prefix in os.environ["AMENT_PREFIX_PATH"].split(os.pathsep)]
    file = next(found for prefix in prefixes if (found := prefix / "share" / package / "launch" / name).exists())
    spec = importlib.util.spec_from_file_location("launch_file", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context, started = LaunchContext(), []
    context.launch_configurations |= dict(word.split(":=") for word in arguments)
    for entity in module.generate_launch_description().entities:
        found = entity.execute(context)
        started += found if isinstance(entity, OpaqueFunction) else []
    children = [(entity, subprocess.Popen(entity.command(context))) for entity in started]
    asked = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked or asked.append(time.monotonic()))
    while any(child.poll() is None for _, child in children):
        threading.Event().wait(0.02)
        if not asked:
            continue
        for entity, child in children:
            waited = time.monotonic() - asked[0]
            due = [signal.SIGINT] + [signal.SIGTERM] * (waited >= entity.sigterm_timeout)
            due += [signal.SIGKILL] * (waited >= entity.sigterm_timeout + entity.sigkill_timeout)
            while getattr(child, "sent", 0) < len(due) and child.poll() is None:
                sent = due[getattr(child, "sent", 0)]
                child.sent = getattr(child, "sent", 0) + 1
                child.send_signal(sent)
    sys.exit(max(abs(child.returncode) for _, child in children))


if __name__ == "__main__":
    main(sys.argv[1:])
