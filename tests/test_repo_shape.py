"""The shape of the whole tree: what may stand in it and what may not."""

import ast
import dataclasses
import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.component_groups import RawGroup
from steadyhand.runtime.build import build
from steadyhand.runtime.component import Component
from steadyhand.runtime.config import compose
from steadyhand.training_settings import TrainingSettings, compose_training_settings
from tests.english import PRODUCT, breaches_in

ROOT = Path(__file__).resolve().parent.parent
# Folders of the repository; `actor` is the package `steadyhand.actor`, and so on.
LINKED = ["runtime", "robot_envs", "policies", "transport", "actor", "learner", "calibration", "configs"]
PACKAGES = [*LINKED, "steadyhand"]
IMAGES = {".png", ".jpg", ".gif", ".webp"}
MAX_BYTES = 2_000_000

BANNED_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
BANNED_NAMES = {"eval", "exec", "__import__"}
BANNED_CALLS = {"torch.load", "torch.save", "torch.jit.load", "os.system", "os.popen"}
BANNED_CALLS |= {f"yaml.{name}" for name in ("load", "load_all", "unsafe_load", "full_load", "Loader", "UnsafeLoader")}
BANNED_CALLS |= {"OmegaConf.register_new_resolver", "omegaconf.OmegaConf.register_new_resolver"}
# A name in a configuration becomes code in these files alone; what they import was written by whoever runs the program.
IMPORTERS = {
    "runtime/component.py": "the entry points of the user's own configuration",
    "steadyhand/__init__.py": "the names of the public face",
    "steadyhand/cli.py": "the verbs",
    "steadyhand/commands/completion.py": "the verbs, for their options",
    "steadyhand/doctor/checks.py": "the doctor's own modules",
    "ros2_ws/src/actor/actor_ros/recorder_node.py": "the message types of the contract's own table",
    "ros2_ws/src/actor/actor_ros/packages.py": "ROS types that the user's own profile names, as package/srv/Type",
}
# One file of a package has weights in torch's own format; it is read only if its digest is the one written here.
LOADERS = {"policies/encoders/efficientnet_lite0.py": "weights_only, and only bytes whose sha256 is known"}
TESTS = ("tests/", "ros2_ws/src/actor/test/")
IMPORTS = {"importlib.import_module", "importlib.__import__", "runpy.run_path", "runpy.run_module"}
IMPORTS |= {f"hydra.utils.{name}" for name in ("instantiate", "call", "get_class", "get_method", "get_object")}
BANNED_FLAGS = {"shell", "allow_pickle"}
WALL_TIME = {"time.time", "time.time_ns"}


def tracked_files() -> list[Path]:
    """Return the files that are, or would be, in the repository."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def module_names() -> list[str]:
    files = [path.relative_to(ROOT) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    names = [".".join(path.with_suffix("").parts) for path in files if path.stem != "__main__"]
    return [_import_name(name.removesuffix(".__init__")) for name in names]


def _import_name(name: str) -> str:
    return name if name.partition(".")[0] == "steadyhand" else f"steadyhand.{name}"


@pytest.mark.parametrize("folder", LINKED)
def test_a_folder_of_the_repository_is_a_package_of_the_one_import_name(folder):
    assert (ROOT / "steadyhand" / folder).readlink() == Path("..") / folder
    found = importlib.import_module(f"steadyhand.{folder}")
    assert Path(found.__path__[0]).resolve() == (ROOT / folder).resolve()


def config_options() -> list[str]:
    configs = ROOT / "configs"
    files = sorted(path.relative_to(configs) for path in configs.rglob("*.yaml") if path.parent != configs)
    return [f"{path.parent.as_posix()}={path.stem}" for path in files]


@pytest.mark.parametrize("name", module_names())
def test_every_module_imports_and_its_all_resolves(name):
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert len(set(exported)) == len(exported)
    assert [missing for missing in exported if not hasattr(module, missing)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_modules_is_a_package(package):
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert folders
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_root_config_composes():
    assert {"task", "robot", "learner", "seed", "run_root", "run_name"} <= compose([]).keys()


# Values that no file can choose for the user.
USERS_OWN = {"task=gym": ["task.entry_point=gymnasium:make"], "transport=network": ["transport.host=10.0.0.7"]}
USERS_OWN |= {"algo=hybrid": ["task=pick_place"]}  # a task with a gripper entry
USERS_OWN |= {"reward=classifier": ["reward.model=classifier.onnx"]}
SERIALS = [f"camera.views.{view}.device.serial={serial}" for view, serial in (("wrist", "1001"), ("side", "1002"))]
USERS_OWN |= {"camera=realsense_wrist_side": SERIALS, "camera=realsense_depth": SERIALS[:1]}
TWO_ARMS = ["task=handover"]
USERS_OWN |= {
    "robot=mock_pair": TWO_ARMS,
    "safety=pair": TWO_ARMS,
    "device=pair": TWO_ARMS,
    "camera=wrists_side": TWO_ARMS,
}
USERS_OWN |= {"camera=uvc": ["camera.views.wrist.device.address=0"]}
USERS_OWN |= {"camera=video_file": ["camera.views.wrist.device.path=wrist.avi"]}


@pytest.mark.parametrize("override", config_options())
def test_every_option_of_every_group_is_built_into_its_type(override):
    group = override.partition("=")[0]
    if group == "calibrate":  # of one step alone; the tests of the steps build it
        assert compose([f"+{override}"])["calibrate"]
        return
    settings = compose_training_settings([override, *USERS_OWN.get(override, [])])
    if group == "experiment":
        return
    assert group in settings.composed
    built = getattr(settings, group)
    if isinstance(built, RawGroup):
        joy_device = pytest.importorskip("actor_ros.joy_device")
        built = build(joy_device.JoyConfig, built.values, group)
    if isinstance(built, Component) and built.type.settings_type is not None:
        built = built.settings
    assert (dataclasses.is_dataclass(built) and not isinstance(built, type)) or settings.composed[group] is None


def test_every_group_is_a_field_of_the_tree():
    assert compose([]).keys() <= {field.name for field in dataclasses.fields(TrainingSettings)}


def test_every_group_of_the_root_config_has_its_default():
    groups = {override.split("=")[0] for override in config_options()}
    assert groups >= compose([]).keys() - {"seed", "run_root", "run_name"}


def test_no_binaries():
    binary = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix not in IMAGES and "tests/data/" not in path.as_posix() and b"\0" in path.read_bytes()[:8192]
    ]
    assert binary == []


def test_nothing_generated_is_committed():
    suffixes = {".pyc", ".pyo", ".so", ".pkl", ".pt", ".pth", ".npy", ".npz", ".egg", ".whl"}
    generated = [path for path in tracked_files() if path.suffix in suffixes or path.name == ".coverage"]
    generated += [path for path in tracked_files() if {"__pycache__", ".venv"} & set(path.parts)]
    assert [str(path.relative_to(ROOT)) for path in generated] == []


def test_no_large_file():
    assert [str(path.relative_to(ROOT)) for path in tracked_files() if path.stat().st_size > MAX_BYTES] == []


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a chain of names, and "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted(node.value)):
        return f"{left}.{node.attr}"
    return ""


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Return what each local name stands for, so that `from torch import load as l` is seen through."""
    meaning = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            meaning |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            meaning |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return meaning


def banned(source: str, calls: set[str]) -> Iterator[str]:
    """Yield every use of a banned module, builtin or function in `source`, as `line: name`."""
    tree = ast.parse(source)
    meaning = imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            modules = []
        yield from (f"{node.lineno}: {name}" for name in modules if name.split(".")[0] in BANNED_MODULES)
        if isinstance(node, ast.Name) and node.id in BANNED_NAMES:
            yield f"{node.lineno}: {node.id}"
        if isinstance(node, (ast.Name, ast.Attribute)) and (name := dotted(node)):
            first, _, rest = name.partition(".")
            full = ".".join(part for part in (meaning.get(first, first), rest) if part)
            if full in calls:
                yield f"{node.lineno}: {full}"
        if isinstance(node, ast.keyword) and node.arg in BANNED_FLAGS and not is_false(node.value):
            yield f"{node.lineno}: {node.arg}="


def is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_no_banned_call():
    found = []
    for path in tracked_files():
        if path.suffix == ".py":
            name = path.relative_to(ROOT).as_posix()
            calls = BANNED_CALLS if name == "runtime/clock.py" else BANNED_CALLS | WALL_TIME
            calls = calls if name in IMPORTERS or name.startswith(TESTS) else calls | IMPORTS
            calls = calls - {"torch.load"} if name in LOADERS else calls
            found += [f"{name}:{use}" for use in banned(path.read_text(encoding="utf-8"), calls)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import os, dill.source",
        "eval('1')",
        "f = exec",
        "import torch\ntorch.load('x')",
        "import torch as t\nt.load('x')",
        "from torch import load as fetch\nfetch('x')",
        "import yaml\nread = yaml.load",
        "import time\ntime.time()",
        "from time import time\ntime()",
        "import subprocess\nsubprocess.run('x', shell=True)",
        "import numpy\nnumpy.load('x', allow_pickle=True)",
        "__import__('os')",
        "import importlib\nimportlib.import_module(name)",
        "from importlib import import_module\nimport_module(name)",
        "from hydra.utils import instantiate\ninstantiate(config)",
        "import yaml\nyaml.load_all('x')",
        "from yaml import UnsafeLoader\nUnsafeLoader('x')",
        "from omegaconf import OmegaConf\nOmegaConf.register_new_resolver('eval', f)",
    ],
)
def test_the_search_for_banned_calls_finds(source):
    assert list(banned(source, BANNED_CALLS | WALL_TIME | IMPORTS))


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import yaml\nyaml.safe_load('x')",
        "from safetensors.torch import load\nload(b'')",
        "import time\ntime.monotonic_ns()",
        "import numpy\nnumpy.load('x', allow_pickle=False)",
    ],
)
def test_the_search_for_banned_calls_lets_pass(source):
    assert list(banned(source, BANNED_CALLS | WALL_TIME)) == []


def test_no_line_installs_the_product_by_its_name_as_it_is_in_no_package_index():
    named = re.compile(r"pip install [^\n`]*\bsteadyhand\b(?![/.])")
    texts = [path for path in tracked_files() if path.suffix in {".md", ".py", ".yaml", ".sh", ".toml", ".yml"}]
    # The history of changes says what lines said then, and this file has the words to look for.
    found = [
        str(path.relative_to(ROOT))
        for path in texts
        if path.name != "CHANGELOG.md" and path != Path(__file__) and named.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


TEST_IMPORT = re.compile(r"\b(?:from|import)\s+(?:\w+\.)*test_\w+|\bfrom\s+[\w.]+\s+import\s[^\n]*\btest_\w+")
MOST_POSITIONAL = 9  # a longer row of values says nothing about which is which


def files_of_tests() -> list[Path]:
    return [path for path in tracked_files() if path.relative_to(ROOT).as_posix().startswith(TESTS)]


def test_no_test_module_imports_another():
    """What two share is a kit."""
    python = [path for path in files_of_tests() if path.suffix == ".py" and path != Path(__file__)]
    found = [(str(path.relative_to(ROOT)), TEST_IMPORT.findall(path.read_text(encoding="utf-8"))) for path in python]
    assert [(name, lines) for name, lines in found if lines] == []


@pytest.mark.parametrize(
    "source",
    [
        "from tests.unit.test_x import X",
        "from test_x import X",
        "import tests.test_x",
        "from tests.unit import kit, test_x",
        "code = 'from tests.test_x import X'",
    ],
)
def test_the_search_for_such_imports_finds(source):
    assert TEST_IMPORT.search(source)


def positional_rows(source: str) -> list[int]:
    """Return the lines of the calls with more than `MOST_POSITIONAL` positional arguments."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if len(call.args) > MOST_POSITIONAL]


def test_long_rows_of_arguments_have_names():
    python = [path for path in files_of_tests() if path.suffix == ".py"]
    found = [(str(path.relative_to(ROOT)), positional_rows(path.read_text(encoding="utf-8"))) for path in python]
    assert [(name, lines) for name, lines in found if lines] == []
    assert positional_rows(f"f({', '.join('1' * 10)})") == [1]
    assert positional_rows(f"f({', '.join('1' * 9)}, a=1)") == []


def test_the_products_english_keeps_the_rules():
    found = [(path.relative_to(ROOT), finding) for folder in PRODUCT for path, finding in breaches_in(ROOT / folder)]
    assert [f"{path}:{finding.line}: {finding.rule}: {finding.text}" for path, finding in found] == []
