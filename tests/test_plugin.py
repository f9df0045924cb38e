"""The fixture that pytest finds by its entry point, in a project of a user's."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_imports import FRAMEWORKS, modules_after

ROOT = Path(__file__).parents[1]


def test_the_plugin_is_light() -> None:
    assert not modules_after("import convparity.plugin") & {*FRAMEWORKS, "numpy", "common", "report"}


@pytest.mark.needs("torch", "jax")
def test_the_example_runs_with_the_fixture(tmp_path: Path) -> None:
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    (info := tmp_path / "convparity-0.dist-info").mkdir()  # the entry points as an installation has them
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: convparity\nVersion: 0\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\nconvparity = {entry['convparity']}\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=ROOT / "tests/example",
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "2 passed" in result.stdout, result.stdout + result.stderr
