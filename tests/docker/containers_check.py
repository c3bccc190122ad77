"""`make containers-check`: both images' installs, carried out without a container engine, and what they start.

Each Dockerfile is followed in a root of its own (a mount namespace and chroot; this machine's files, its /opt, /data,
/config and /vendor apart): ENV, COPY with .dockerignore, and every RUN line as it stands. Lines with apt-get are left
out, and ROS comes from the wheels instead (apt_ros.py). Then the entrypoint runs the commands of docker-compose.yml.

Not checked: the base images and their Python, apt's packages, the users, read-only file systems, the GPU.
"""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.docker.apt_ros import make as make_ros
from tests.docker.dockerfile_lint import instructions

ROOT = Path(__file__).resolve().parents[2]
OWN = ("opt", "data", "config", "vendor")
PYTHON = str(Path(sys.base_prefix) / "bin/python3")
SYSTEM_PATH = f"{Path(sys.base_prefix) / 'bin'}:/usr/bin:/bin"
NEW_NET = 0x40000000  # CLONE_NEWNET
VARIABLES = {"TASK": "reach", "DEMOS": "1", "LEARNER_DEVICE": "cpu"}
START_S, STOP_S = 120.0, 30.0


def main() -> int:
    """Check both images, each in a process with namespaces of its own."""
    if len(sys.argv) == 2:
        {"steadyhand": check_steadyhand, "actor": check_actor}[sys.argv[1]]()
        return 0
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    for image in ("steadyhand", "actor"):
        say(f"\n== docker/{image}.Dockerfile")
        command = ["unshare", *user, "--mount", "--fork", "--kill-child", sys.executable, "-m", __spec__.name, image]
        with tempfile.TemporaryDirectory(prefix="containers_check_") as folder:
            done = subprocess.run(command, cwd=ROOT, env={**os.environ, "CHECK_ROOT": folder})
        if done.returncode:
            return done.returncode
    say("\nboth images install and start")
    return 0


def check_steadyhand() -> None:
    image = Image("steadyhand")
    image.follow()
    image.leave_the_network()
    with image.running("demos") as demos:
        demos.ends_by_itself()
    with image.running("learner") as learner:
        learner.becomes_healthy()
        with image.running("mock") as mock:
            mock.becomes_healthy()
            mock.stops()
        learner.stops()


def check_actor() -> None:
    image = Image("actor")
    image.enter()
    make_ros(Path("/opt/ros/jazzy"), PYTHON)
    image.follow()
    image.leave_the_network()
    with image.running("actor", ROBOT="mock_ros") as actor:
        actor.becomes_healthy()
        actor.says("ready; motion needs actor/enable")
        actor.stops()
    with image.running("actor", ROBOT="fzi_cartesian", WORK="demonstrate", DEVICE="none") as actor:
        actor.becomes_healthy()
        threading.Event().wait(5.0)
        actor.becomes_healthy()
        actor.stops()
    with image.running("actor", ROBOT="crisp_fr3", DEVICE="none") as actor:
        actor.says("franka_msgs")  # a workspace that is not mounted is named in a line
        actor.stops()


class Image:
    """One Dockerfile, and the root that it is followed in."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / f"docker/{name}.Dockerfile").read_text(encoding="utf-8")
        self.root, self.entered = Path(os.environ["CHECK_ROOT"]), False
        self.environment = {"PATH": SYSTEM_PATH}
        self.entrypoint: list[str] = []
        self.folder = "/"

    def enter(self) -> None:
        """Change into a root that is this machine's, with folders of its own in place of OWN."""
        for path in Path("/").iterdir():
            place = self.root / path.name
            if path.is_symlink():
                place.symlink_to(path.readlink())
            elif path.is_dir() and path.name not in OWN:
                place.mkdir()
                _run("mount", "--rbind", path, place)
        for name in OWN:
            (self.root / name).mkdir()
        for path in Path("/opt").iterdir():
            (self.root / "opt" / path.name).mkdir()
            _run("mount", "--bind", path, self.root / "opt" / path.name)
        _run("mount", "-t", "tmpfs", "tmpfs", self.root / "dev/shm")
        os.chroot(self.root)
        os.chdir("/")
        (Path("/data/runs")).mkdir()
        shutil.copytree(ROOT / "docker/cell", "/config", dirs_exist_ok=True)
        self.entered = True

    def follow(self) -> None:
        """Carry out the instructions."""
        if not self.entered:
            self.enter()
        arguments: dict[str, str] = {}
        for keyword, rest in instructions(self.text):
            if keyword == "ARG":
                name, _, value = rest.partition("=")
                arguments[name] = value
            elif keyword == "ENV":
                for word in shlex.split(rest):
                    name, _, value = word.partition("=")
                    self.environment[name] = value.replace("$PATH", self.environment["PATH"])
            elif keyword == "WORKDIR":
                self.folder = rest
                Path(rest).mkdir(parents=True, exist_ok=True)
            elif keyword == "COPY" and "--from" not in rest:
                *sources, target = rest.split()
                self._copy(sources, Path(self.folder) / target)
            elif keyword == "ENTRYPOINT":
                self.entrypoint = yaml.safe_load(rest)
            elif keyword == "RUN":
                self._do(rest, arguments)

    def leave_the_network(self) -> None:
        """Nothing is downloaded from here on, and no port of this machine is in the way."""
        if ctypes.CDLL(None, use_errno=True).unshare(NEW_NET):
            raise OSError(ctypes.get_errno(), "unshare")
        _run("ip", "link", "set", "lo", "up")

    @contextmanager
    def running(self, service: str, **variables: str) -> Iterator[Container]:
        container = Container(self, service, VARIABLES | variables)
        try:
            yield container
        finally:
            container.kill()

    def _do(self, line: str, arguments: dict[str, str]) -> None:
        if "apt-get" in line:
            say(f"left out: {line[:100]}...")
            return
        say(f"RUN {line[:140]}")
        # How this machine reaches its package index, and nothing else of its environment.
        index = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
        environment = {"HOME": "/tmp", **index, **arguments, **self.environment}
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{done.stdout[-3000:]}{done.stderr[-3000:]}\nRUN ended with {done.returncode}: {line}")
        if "--system-site-packages" in line:
            site = next(Path("/opt/venv").glob("lib/python3*/site-packages"))
            (site / "zz_apt.pth").write_text("/opt/ros/jazzy/system\n", encoding="utf-8")  # apt's dist-packages

    def _copy(self, sources: Sequence[str], target: Path) -> None:
        allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
        for source in allowed if list(sources) == ["."] else sources:
            if source.partition("/")[0] not in allowed:
                sys.exit(f"COPY {source}: .dockerignore does not let it in")
            path, place = ROOT / source, target if str(target) != self.folder + "/." else Path(self.folder)
            if path.is_dir():
                place = place / source if list(sources) == ["."] else place
                shutil.copytree(path, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                into = place if not (place.is_dir() or str(target).endswith("/.")) else place / path.name
                shutil.copy(path, into)


class Container:
    """A service of docker-compose.yml, as a process."""

    def __init__(self, image: Image, service: str, variables: dict[str, str]) -> None:
        self.name, self.image = " ".join([service, variables.get("ROBOT", "")]).strip(), image
        text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
        text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1], found[2]), text)
        self.values = yaml.safe_load(text)["services"][service]
        self.log = Path("/tmp") / f"containers_check_{service}_{time.monotonic_ns()}.log"
        self.environment = image.environment | {"HOME": "/tmp"} | self.values.get("environment", {})
        say(f"{self.name}: {' '.join(self.values['command'])}")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*image.entrypoint, *self.values["command"]],
                cwd=image.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ends_by_itself(self) -> None:
        status = self.process.wait(START_S)
        self._expect(status == 0, f"ended with {status}")

    def becomes_healthy(self) -> None:
        test = self.values["healthcheck"]["test"][1:]
        began = time.monotonic()
        while subprocess.run(test, env=self.environment, capture_output=True).returncode:
            self._expect(self.process.poll() is None, "ended")
            self._expect(time.monotonic() - began < START_S, f"not healthy within {START_S} s")
            threading.Event().wait(0.5)
        say(f"{self.name}: healthy after {time.monotonic() - began:.1f} s ({' '.join(test[1:])})")

    def says(self, words: str) -> None:
        began = time.monotonic()
        while words not in (text := self.log.read_text(errors="replace")):
            self._expect(time.monotonic() - began < START_S, f"never said {words!r}")
            threading.Event().wait(0.2)
        line = next(line for line in text.splitlines() if words in line)
        self._expect("Traceback" not in text, "a traceback")
        say(f"{self.name}: {line}")

    def stops(self) -> None:
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_S)
        self._expect("Traceback" not in self.log.read_text(errors="replace"), "a traceback")
        say(f"{self.name}: ended with {status} within {time.monotonic() - began:.1f} s of SIGTERM")

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.unlink(missing_ok=True)

    def _expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            sys.exit(f"{self.log.read_text(errors='replace')[-4000:]}\n{self.name}: {otherwise}")


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
