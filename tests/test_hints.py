"""What differs between two modules leads to the pitfalls that show themselves so."""

import shlex
from typing import Any

import pytest

from common.port.comparing import Comparison
from common.port.parting import Finding
from report.cli import main
from report.guide.hints import hint, symptom

EVALUATION, TRAINING = "output in evaluation", "output in training"
GRADIENTS, STATISTICS = "gradients of the parameters", "running statistics after a pass"


def status(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as stopped:
        main([*arguments])
    return stopped.value.code


@pytest.mark.needs("torch", "flax")
@pytest.mark.parametrize(("options", "key"), [("padding=0", "shape-differs"), ("momentum=0.5", "evaluation-differs")])
def test_the_command_names_another_that_lists_the_pitfalls(
    options: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = f"tests.support.nets:torch_net({options})", "tests.support.nets:flax_net"
    assert status("compare", first, second, "--input", "2x3x9x8") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"see: convparity explain --symptom {key} --from torch --to flax"
    assert status(*shlex.split(last)[2:]) == 0
    assert "docs/pitfalls/" in capsys.readouterr().out


def differing(wrong: list[str], **fields: Any) -> Comparison:
    every = dict.fromkeys([EVALUATION, TRAINING, GRADIENTS, STATISTICS, *wrong])
    findings = tuple(Finding(what, "differs" if what in wrong else None) for what in every)
    nothing: Any = None  # what was matched is not asked
    return Comparison(nothing, findings, None, (), **fields)


@pytest.mark.parametrize("pair", [("torch", "torch"), ("jax", "jax")], ids=str)
def test_two_modules_of_one_framework_have_no_pitfalls(pair: tuple[str, str]) -> None:
    assert hint(differing([EVALUATION], frameworks=pair)) is None
    assert hint(differing([EVALUATION], frameworks=("torch", "jax"))) is not None


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ([EVALUATION, TRAINING, GRADIENTS], "layer-differs"),
        ([EVALUATION], "evaluation-differs"),
        ([TRAINING, GRADIENTS], "training-diverges"),
        ([GRADIENTS, STATISTICS], "gradients-differ"),
        (["gradient of the input"], "gradients-differ"),
        ([STATISTICS], "evaluation-differs"),
        (["dropout"], None),
        ([], None),
    ],
    ids=str,
)
def test_the_earliest_that_is_seen_is_the_symptom(wrong: list[str], key: str | None) -> None:
    assert symptom(differing(wrong)) == key
    if wrong:
        assert symptom(differing(wrong, code=differing([]))) == "loading-fails"
