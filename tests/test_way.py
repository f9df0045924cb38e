"""The way through a port: its notebook runs, and a mistake in a step is found in that step."""

import json
import sys
from typing import Any

import pytest

from report.paths import DOCS

FOLDER = DOCS / "port"
CELLS = [
    "".join(cell["source"])
    for cell in json.loads((FOLDER / "port.ipynb").read_text("utf-8"))["cells"]
    if cell["cell_type"] == "code"
]
pytestmark = [pytest.mark.needs("torch", "paddle", "flax"), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def _in_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    for name in ("net_torch", "net_paddle", "net_flax"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def run(wrong: str = "", instead: str = "") -> str:
    """Runs the cells, with a mistake in them; gives what the step that fails compares, or nothing."""
    names: dict[str, Any] = {}
    assert any(wrong in cell for cell in CELLS)
    for cell in CELLS:
        if wrong and "convparity.assert_parity" in cell:
            continue  # it takes longest, and the mistakes below are in later steps
        try:
            exec(cell.replace(wrong, instead) if wrong else cell, names)
        except AssertionError as error:
            return str(error)
    return ""


def test_the_notebook_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == ""
    said = capsys.readouterr().out
    assert "`norm` (norm)" in said  # of the network that is made wrong
    assert said.count("differ by") == 10


@pytest.mark.parametrize(
    ("wrong", "instead", "step"),
    [
        ("images.astype(np.float32) / 255", "images[..., ::-1].astype(np.float32) / 255", "images"),
        ("integer_labels(logits, labels).mean()", "integer_labels(logits, labels).sum()", "losses"),
        ("optax.sgd(RATE, MOMENTUM)", "optax.sgd(RATE)", "losses after it"),
        ("optax.add_decayed_weights(DECAY), ", "", "losses of step 2"),
    ],
)
def test_a_mistake_is_found_in_its_step(wrong: str, instead: str, step: str) -> None:
    assert run(wrong, instead) == step
