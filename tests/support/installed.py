"""The distributions of the tuned forms, built as pip builds them, and what each needs, apart from all else."""

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

from report.paths import ROOT

BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def unpacked(name: str, folder: Path) -> Path:
    """What is installed of a framework's distribution: its wheel, in a folder, from which it can be imported."""
    for tuned in ROOT.glob("frameworks/*/tuned"):
        shutil.copytree(tuned, folder / "source" / tuned.relative_to(ROOT), dirs_exist_ok=True)
    source = folder / "source" / "frameworks" / name / "tuned"
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob(f"convparity_fast_{name}-*.whl")
    shutil.unpack_archive(wheel, folder / "installed", "zip")
    return folder / "installed"


def _needed(requirements: Iterable[str]) -> Iterator[importlib.metadata.Distribution]:
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            distribution = importlib.metadata.distribution(requirement.name)
            yield distribution
            yield from _needed(distribution.requires or ())


def with_its_needs_alone(installed: Path) -> Path:
    """The same folder, with all that the distribution requires, and with nothing else."""
    (about,) = installed.glob("*.dist-info")
    for distribution in _needed(importlib.metadata.Distribution.at(about).requires or ()):
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (installed / top).exists():
                (installed / top).symlink_to(str(distribution.locate_file(top)))
    return installed


def run(program: str, installed: Path) -> str:
    """What a program prints that can import nothing but what is in the folder, and Python's own modules."""
    start = f"import sys; sys.path.append({str(installed)!r})\n"
    command = [sys.executable, "-I", "-S", "-c", start + program]
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
