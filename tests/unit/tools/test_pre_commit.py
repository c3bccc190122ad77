"""The hooks of a commit run what CI's lint runs."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_the_last_hook_is_the_lint_of_ci():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    lint = local["hooks"][-1]
    assert lint["entry"].split() == ["make", "--no-print-directory", "lint"]
    assert not lint["pass_filenames"]
    test_target = next(line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "test:" in line)
    assert "lint" in test_target.split()
