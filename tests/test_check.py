"""The checker is checked: each level is shown to fail, alone, and to say why."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.check.judge import LEVELS, Expectation, Expected, check, expect
from common.layers import BatchNorm2d, Conv2d
from common.spec import BlockSpec, Node
from common.spec.catalogue import Case, block, cases
from common.spec.differences import Difference, load
from tests.support import numpy_backend

CASE = next(case for case in cases() if case.id == "conv_bn_act-k3")


def failed(fault: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", fault)
    return {result.level: result.message for result in check(CASE, numpy_backend) if not result.passed}


def test_a_right_backend_passes_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    results = check(CASE, numpy_backend)
    assert all(result.passed for result in results)
    levels = [result.level for result in results]
    assert levels[:5] == ["builds", "shape", "parameters", "forward", "forward"]
    assert levels[5:] == ["forward_train", "buffers", "gradients"] + ["trajectory"] * 6
    assert [result.input for result in results if result.level == "forward"] == ["random", "photograph"]
    assert all(result.level in LEVELS for result in results)
    margins = [result.margin for result in results if result.margin is not None]
    assert len(margins) == 11
    assert min(margins) > 1
    assert results[2].trainable == 6 * 10 * 9 + 20
    assert results[2].buffers == 20


def test_only_what_failed_names_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the steps of two optimisers, those of one are wrong."""
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", "no weight decay")
    steps = [result for result in check(CASE, numpy_backend) if result.level == "trajectory"]
    assert {result.passed for result in steps} == {True, False}
    assert all(bool(result.layer) != result.passed for result in steps)


@pytest.mark.parametrize(
    ("fault", "level", "sentence"),
    [
        ("raise", "builds", "ValueError: no such layer"),
        ("lost", "parameters", "missing: conv.weight"),
        ("extra", "parameters", "unexpected: conv.scale"),
        ("changed", "parameters", "not the values given: conv.weight"),
        ("transposed", "parameters", "of another shape: conv.weight"),
        ("all trained", "parameters", "trainable but should not be: norm.running_mean, norm.running_var"),
        ("frozen", "parameters", "not trainable but should be: "),
        ("offset", "forward", "on photograph: greatest abs difference 1.0e-03 at ("),
        ("nan", "forward", "on photograph: greatest abs difference inf at ("),
        ("evaluates", "forward_train", "of output: greatest abs difference"),
        ("buffers frozen", "buffers", "after 3 passes: of norm.running_"),
        ("gradient lost", "gradients", "of conv.weight: greatest abs difference"),
        ("no weight decay", "trajectory", "SGD, step 3: of "),
    ],
)
def test_each_fault_is_caught_at_its_level(
    fault: str, level: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = failed(fault, monkeypatch)
    # Without training mode the statistics do not move either.
    assert set(found) == {level} | ({"buffers"} if fault == "evaluates" else set())
    assert found[level].startswith(f"[conv_bn_act-k3 / numpy] {level}: {sentence}")


def test_a_wrong_shape_fails_its_level_and_cannot_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    found = failed("shape", monkeypatch)
    assert found["shape"].endswith("the output is (2, 10, 9, 11); the spec says (2, 10, 9, 12)")
    assert "cannot be compared" in found["forward"]


def test_a_case_that_no_port_could_fail_fails_itself() -> None:
    shape = CASE.spec.output_shape(CASE.input_shape)
    constant = Expected("random", np.zeros(CASE.input_shape, np.float32), np.full(shape, 3.0), np.full(shape, 1e-6))
    results = check(CASE, numpy_backend, Expectation((constant,)))
    assert results[0].level == "case"
    assert not results[0].passed


@pytest.mark.parametrize("case", [c for c in cases() if np.prod(c.input_shape) < 20_000], ids=lambda case: case.id)
def test_no_case_of_the_catalogue_is_degenerate(case: Case) -> None:
    """The large ones are looked at in every check, as these are too."""
    assert not expect(case, "random").degenerate


def test_photographs_fill_any_number_of_channels() -> None:
    spec = block("pointwise_conv", in_channels=7, out_channels=2)
    x = expect(Case("seven", spec, (2, 7, 9, 12)), "photograph").x
    assert x.shape == (2, 7, 9, 12)
    assert x.dtype == np.float32
    assert -8 <= x.min() < x.max() <= 8
    assert not np.array_equal(x[0], x[1])


UNBIASED = Difference(
    "unbiased", ("buffers", "trajectory"), "running_var", "unbiased_running_var", "because", "https://example.org"
)


def test_a_declared_difference_that_does_not_occur_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    monkeypatch.setattr(numpy_backend, "DIFFERENCES", (UNBIASED,))
    found = {result.level: result.message for result in check(CASE, numpy_backend) if not result.passed}
    assert found["known_differences"].endswith("no longer occurs: take its row out of known_differences.toml")
    assert "running_var" in found["buffers"]


def test_a_declared_difference_that_occurs_passes_by_its_relation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend follows the relation, as torch does: agreed with the row, and not without it."""
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    plain = numpy_backend.build

    def unbiased(spec: BlockSpec, *arguments: Any, **options: Any) -> numpy_backend.Built:
        return plain(UNBIASED.apply(spec), *arguments, **options)

    monkeypatch.setattr(numpy_backend, "build", unbiased)
    assert {r.level for r in check(CASE, numpy_backend) if not r.passed} == {"buffers", "trajectory"}
    monkeypatch.setattr(numpy_backend, "DIFFERENCES", (UNBIASED,))
    assert all(result.passed for result in check(CASE, numpy_backend))
    # A row reaches no further than it says: not to other levels, not to other arrays.
    monkeypatch.setattr(numpy_backend, "DIFFERENCES", (replace(UNBIASED, levels=("buffers",)),))
    assert {r.level for r in check(CASE, numpy_backend) if not r.passed} == {"trajectory"}
    monkeypatch.setattr(numpy_backend, "DIFFERENCES", (replace(UNBIASED, role="running_mean"),))
    assert {"buffers", "trajectory"} <= {r.level for r in check(CASE, numpy_backend) if not r.passed}


def test_a_declared_difference_is_not_asked_for_where_rounding_hides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a momentum of 1e-6, n / (n - 1) times the batch variance is no other running variance than the biased."""
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    monkeypatch.setattr(numpy_backend, "DIFFERENCES", (UNBIASED,))
    nodes = (Node("conv", Conv2d(1, 1, (1, 1))), Node("norm", BatchNorm2d(1, momentum=1e-6)))
    results = check(Case("tiny", BlockSpec("tiny", {}, 1, nodes), (2, 1, 10, 8)), numpy_backend)
    assert "buffers" in {result.level for result in results}
    assert {result.level for result in results if not result.passed} == {"case"}  # it could not tell them apart
    assert "known_differences" not in {result.level for result in results}


def test_rows_with_mistakes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "known_differences.toml"
    path.write_text('[[difference]]\nid = "x"\nlevels = []\nrole = "r"\nrelation = "odd"\ncause = "c"\nlink = "l"\n')
    with pytest.raises(ValueError, match="relation `odd` is not one of unbiased_running_var"):
        load(tmp_path)
    path.write_text('[[difference]]\nid = "x"\n')
    with pytest.raises(ValueError, match=r"known_differences\.toml: .*levels"):
        load(tmp_path)
