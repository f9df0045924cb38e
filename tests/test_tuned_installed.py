"""The tuned forms as everybody gets them: a distribution for each framework, which needs that framework alone."""

import ast
from pathlib import Path

import pytest

from report.paths import ROOT
from tests.support.installed import run, unpacked, with_its_needs_alone
from tests.test_documents import TUNED

PROGRAMS = {
    "jax": f"""
import importlib.util
import jax, jax.numpy as jnp

assert not any(importlib.util.find_spec(name) for name in ("common", "frameworks", "report", "flax"))

def apply(params, x):
    how = {{"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": 4}}
    return jax.lax.conv_general_dilated(x, params, (1, 1), "SAME", **how)

{TUNED}
from convparity_fast.jax.tuned import explain

x, kernel = jnp.arange(60.0).reshape(1, 5, 3, 4) % 7, jnp.ones((3, 3, 1, 4))
assert (fast(kernel, x) == apply(kernel, x)).all()
print(*explain(apply, kernel, x))
""",
    "torch": """
import importlib.util
import torch
from torch import nn

assert not any(importlib.util.find_spec(name) for name in ("common", "frameworks", "report", "numpy"))
from convparity_fast.torch.tuned import fold, frozen, in_channels_last

net, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), torch.ones(1, 3, 5, 5)
torch.testing.assert_close(fold(net, [("0", "1")])(x), net.eval()(x))
print(fold(net, [("0", "1")])[1])
""",
}
PRINTED = {"jax": "float32[1,5,3,4] with float32[3,3,1,4]: depthwise: shifted maps", "torch": "Identity()"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROGRAMS])
def test_a_distribution_needs_its_framework_alone(name: str, tmp_path: Path) -> None:
    installed = unpacked(name, tmp_path)
    for part in {"jax": ["jax", "flax"]}.get(name, [name]):  # Flax's files come with JAX's
        files = {file.name for file in (installed / "convparity_fast" / part / "tuned").iterdir()}
        assert files == {file.name for file in (ROOT / "frameworks" / part / "tuned").glob("*.py")}
    assert PRINTED[name] in run(PROGRAMS[name], with_its_needs_alone(installed))


@pytest.mark.parametrize("name", ["torch", "paddle", "jax", "flax"])
def test_a_tuned_form_names_no_package_of_ours(name: str) -> None:
    """In what is installed the first word of the path is another."""
    for file in (ROOT / "frameworks" / name / "tuned").glob("*.py"):
        imports = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
        assert not [node.module for node in imports if not node.level and str(node.module).startswith("frameworks")]
