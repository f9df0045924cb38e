"""Modules by name, from a project with packages of its own, and the command; and what a user types wrongly."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import frameworks
from common.port.weights import PortError
from convparity.packages import OURS, PROGRAM, ROOT
from report.port.modules import compare_targets, input_shape
from report.port.targets import Loaded, parse
from tests.test_cli import status

SHAPE = (3, 3, 12, 9)
FRAMEWORK = {"linen": "flax"}

NET = """
import torch
from torch import nn
from common.layers import WIDTH, block
import report


class Net(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.block = block()
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, x):
        from common.lazy import pooled
        from frameworks_of_mine import double
        assert report.THEIRS
        return double(self.head(pooled(self.block(x))))
"""
PROJECT = {
    "common/__init__.py": "",
    "common/layers.py": "from torch import nn\nWIDTH = 4\ndef block():\n    return nn.Conv2d(3, WIDTH, 3)\n",
    "common/lazy.py": "def pooled(x):\n    return x.mean((2, 3))\n",
    "report/__init__.py": "THEIRS = True\n",
    "frameworks_of_mine.py": "def double(x):\n    return 2 * x\n",
    "net.py": NET,
    "models/__init__.py": "",
    "models/net.py": "from .size import CLASSES\nfrom net import Net as Base\ndef make():\n    return Base(CLASSES)\n",
    "models/size.py": "CLASSES = 5\n",
    "test_net.py": (
        "from common.layers import WIDTH\nfrom convparity import assert_parity\nfrom net import Net\n"
        "def test_net():\n"
        "    assert_parity(Net(), Net(), (2, 3, 8, 9))\n"
        "    import common.lazy, report\n"
        "    assert report.THEIRS and WIDTH == 4 and common.lazy.pooled\n"
        "def test_face():\n"
        "    import convparity\n"
        "    spec = convparity.block('conv_bn_act', in_channels=3, out_channels=4)\n"
        "    assert spec.family in convparity.names() and spec.output_shape((2, 3, 8, 9)) == (2, 4, 8, 9)\n"
        "    params = convparity.initial(spec)\n"
        "    built = convparity.build('torch', spec, params, variant='tuned')\n"
        "    assert built.params().keys() == params.keys() == convparity.randomised(spec).keys()\n"
        "    assert convparity.compare(built.native, built.native, (2, 3, 8, 9)).agrees\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.needs("torch")
def test_a_project_with_a_common_and_a_report_of_its_own_is_compared(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    said: list[str] = []
    assert compare_targets("net.py:Net", "models/net.py:make", (2, 3, 8, 9), say=said.append).agrees
    assert {"net.py:Net: pass 1, in evaluation", "models/net.py:make: pass 4, in training"} <= {*said}
    assert compare_targets("net:Net(classes=5)", "models.net:make()", (2, 3, 8, 9)).agrees


@pytest.mark.needs("torch")
def test_such_a_projects_own_tests_and_folder_work_too(project: Path) -> None:
    environment = os.environ | {"PYTHONPATH": ROOT}
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_net.py"]
    compare = [sys.executable, "-m", "convparity", "compare", "net:Net", "net.py:Net", "--input", "2x3x8x9"]
    for command, shown in ((tests, "2 passed"), (compare, "output in training: agrees")):
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert shown in done.stdout


def test_packages_are_put_back_after_an_error() -> None:
    modules, path = dict(sys.modules), sys.path[:]
    with pytest.raises(RuntimeError), PROGRAM, OURS:
        raise RuntimeError
    assert (sys.modules, sys.path) == (modules, path)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("net", "`net` is no module; write FILE.py:NAME"),
        ("net:Net(5 + x)", "`net:Net(5 + x)`: arguments must be literals"),
        ("net.py:Ned", "net.py has no `Ned`; nearest: Net"),
        ("nets.py:Net", "cannot read nets.py: no such file"),
        ("nets:Net", "nets:Net: ModuleNotFoundError: No module named 'nets'"),
        ("net:Net(classes='a')", "net:Net: TypeError: "),
        ("net:WIDTH", "net:WIDTH gives int, which is no module of torch, paddle, jax, flax"),
        ("convparity.torch:mobilnet", "unknown block `mobilnet`; did you mean `mobilenet_v1` or `mobilenet_v2` or "),
        ("convparity.tf:mobilenet_v1", "unknown backend `tf`; choose from torch, "),
        ("convparity.torch:mobilenet_v1(alfa=1)", "`alfa` is not an option of `mobilenet_v1`; did you mean `alpha`?"),
        ("convparity.torch:mobilenet_v1(3)", "options of `mobilenet_v1` need names, such as (alpha=0.5)"),
    ],
)
@pytest.mark.needs("torch")
def test_bad_targets_are_refused(target: str, message: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    with pytest.raises(PortError) as caught:
        Loaded(parse(target))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nets:Net", "net:Net"], "nets:Net: ModuleNotFoundError: No module named 'nets'"),
        (["net:Net", "convparity.torch:x"], "convparity.torch:x: unknown block `x`; choose from "),
        (["net:Net", "net:Net", "--input", "1x4x8x8"], "net:Net: RuntimeError: "),
        (["net:Net", "net:Net", "--input", "3x0x8"], "`--input 3x0x8` must be numbers above 0 with x between them"),
        (["net:Net"], "Missing argument 'B'."),
    ],
)
@pytest.mark.needs("torch")
def test_bad_comparisons_are_one_line_and_status_2(
    arguments: list[str],
    message: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    typed = arguments if "--input" in arguments else [*arguments, "--input", "1x3x8x8"]
    assert status("compare", *typed) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"convparity: {message}")
    assert printed.count("\n") == 1


@pytest.mark.needs("torch")
def test_the_command_shows_the_map_and_what_differs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    (project / "port.py").write_text(NET.replace("self.block ", "self.conv ").replace("self.block(", "self.conv("))
    names = project / "map.json"
    assert status("compare", "net:Net", "port.py:Net", "--input", "2x3x8x9", "--save-map", str(names)) == 0
    printed = capsys.readouterr().out
    assert "matched 2 layers in the same order; 137 values copied" in printed
    assert "  block <- conv" in printed
    assert "gradients of the parameters: agrees" in printed
    (project / "port.py").write_text(NET.replace("double(self.head", "(self.head"))
    files = ["--json", str(project / "it.json"), "--html", str(project / "it.html")]
    assert status("compare", "net:Net", "port.py:Net", "--input", "2x3x8x9", *files) == 1
    printed = capsys.readouterr().out
    assert "output in evaluation: DIFFERS: greatest abs difference" in printed
    assert printed.endswith("every layer with arrays agrees; the computation after them differs\n")
    record = json.loads((project / "it.json").read_text())
    assert [layer["second"] for layer in record["layers"]] == ["block", "head"]
    assert not any(layer["problem"] for layer in record["layers"])
    assert {finding["what"]: finding["problem"] is None for finding in record["findings"]} == {
        "parameters": True,
        "output in evaluation": False,
        "output in training": False,
        "gradient of the input": False,
        "gradients of the parameters": False,
    }
    page = (project / "it.html").read_text()
    assert "They are not the same function." in page
    assert re.search(r"<code>block</code></td><td><code>block</code></td><td class=.number.>0</td>", page)
    assert status("compare", "net:Net", "net:Net", "--input", "2x3x8x9", "--map", str(names)) == 2
    assert "the map names `conv`, which is no layer" in capsys.readouterr().err


def test_targets_are_read_as_they_are_typed() -> None:
    target = parse("nets.py:Outer.Net(8, alpha=0.5, sizes=(1, 2))")
    assert (target.where, target.name) == ("nets.py", "Outer.Net")
    assert (target.arguments, target.options) == ((8,), (("alpha", 0.5), ("sizes", (1, 2))))
    assert input_shape("1x3x224x200") == (1, 3, 224, 200)


def test_what_is_no_module_has_no_framework() -> None:
    assert frameworks.owner(np.zeros(3)) is None
    assert frameworks.owner((1, 2)) is None
    assert frameworks.owner((len, {}, {})) == "jax"
