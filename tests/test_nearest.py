"""What a user means is found: another name of a backend, the nearest name, the options that a file was made with."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import frameworks
from common.bench import sweeps
from common.names import UnknownName, known
from common.port.weights import PortError
from common.spec import BlockSpec
from common.spec.catalogue import block
from common.spec.params import initial
from report.guide.explain import explain
from report.port import nearest as nearest_options
from report.port.modules import compare_targets
from report.port.nearest import MOST, SHOWN, nearest, suggesting
from report.runs.runner import choose_backends

SWEEP = """
title: a sweep
about: of one row
blocks: [{block: standard_conv, options: {in_channels: 4, out_channels: 4}, input: [1, 4, 8, 8]}]
configs: [{backend: [torch, PyTorch], form: eager}, {backend: paddlepaddle}]
"""


@pytest.mark.parametrize(("name", "usual"), [("pytorch", "torch"), ("PyTorch", "torch"), ("PaddlePaddle", "paddle")])
def test_a_backend_has_the_name_that_people_use(name: str, usual: str) -> None:
    assert known("backend", name, frameworks.BACKENDS) == usual
    assert frameworks.module(name) == frameworks.module(usual)
    assert explain("ghost_module", name, "jax") == explain("ghost_module", usual, "jax")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sqeezenet", "did you mean `squeezenet`?"),
        ("lstm", "choose from standard_conv, "),
        ("mobilnet_v1", "`mobilenet_v1` or"),
    ],
)
def test_of_many_choices_the_nearest_are_named(name: str, said: str) -> None:
    with pytest.raises(UnknownName) as caught:
        block(name)
    assert said in str(caught.value)


def test_another_name_counts_only_where_the_usual_one_does() -> None:
    with pytest.raises(UnknownName, match="unknown backend `pytorch`; choose from jax"):
        known("backend", "pytorch", ["jax"])


@pytest.mark.needs("torch")
def test_a_backend_that_is_named_twice_runs_once() -> None:
    assert choose_backends(["pytorch", "torch"]) == (["torch"], [])


def test_a_sweep_takes_the_names_that_people_use(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SWEEP)
    (experiment,) = sweeps.experiments(sweeps.load(tmp_path / "s.yaml"), frameworks.BACKENDS)
    assert {config.backend for config in experiment.configs} == {"torch", "paddle"}


def shapes(name: str, **options: Any) -> list[tuple[int, ...]]:
    return [param.shape for param in block(name, **options).params()]


@pytest.mark.parametrize(
    ("made", "asked", "said"),
    [
        ({"alpha": 0.5}, {}, "alpha=0.5"),
        ({"classes": 17}, {}, "classes=17"),
        ({"bias": False}, {}, "bias=false"),
        ({"alpha": 0.5, "classes": 17}, {}, "alpha=0.5 and classes=17"),
        ({"alpha": 0.5}, {"alpha": 0.25}, "alpha=0.5"),
        ({}, {}, ""),
        ({"alpha": 0.4375}, {}, ""),  # no case has it
    ],
)
def test_the_options_that_a_file_was_made_with_are_found(
    made: dict[str, Any], asked: dict[str, Any], said: str
) -> None:
    assert nearest(block("mobilenet_v1", **asked), shapes("mobilenet_v1", **made)) == said


def test_one_array_too_many_is_no_other_option() -> None:
    assert nearest(block("mobilenet_v1"), [*shapes("mobilenet_v1", alpha=0.5), (3,)]) == ""


def test_a_file_of_many_arrays_does_not_make_it_try_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, made = [], nearest_options._shapes
    monkeypatch.setattr(nearest_options, "_shapes", lambda spec: tried.append(spec) or made(spec))
    assert nearest(block("mobilenet_v1"), [(size, 3) for size in range(1, 2000)]) == ""
    assert 0 < len(tried) <= MOST + 1


def refused(spec: BlockSpec, arrays: dict[str, np.ndarray]) -> PortError:
    with pytest.raises(PortError) as caught, suggesting(spec, lambda: arrays), suggesting(spec, lambda: arrays):
        raise PortError("the arrays do not fit", [f"line {number}" for number in range(9)])
    return caught.value


def test_a_suggestion_stands_once_in_the_line_and_few_lines_below_it() -> None:
    spec = block("mobilenet_v1")
    error = refused(spec, initial(block("mobilenet_v1", alpha=0.5)))
    assert str(error) == "the arrays do not fit; did you mean alpha=0.5?"
    assert len(error.details) == SHOWN
    assert len(refused(spec, {}).details) == 9


@pytest.mark.needs("torch")
@pytest.mark.parametrize("half_first", [True, False])
def test_a_comparison_names_the_side_whose_options_do_not_fit(half_first: bool) -> None:
    """The first one is told what the second is."""
    ends = ["convparity.torch:mobilenet_v1(alpha=0.5)", "convparity.pytorch:mobilenet_v1(alpha=0.25)"]
    first, second = ends if half_first else reversed(ends)
    with pytest.raises(PortError) as caught:
        compare_targets(first, second, (1, 3, 224, 224))
    alpha = dict(itertools.pairwise([*ends, ends[0]]))[second].rpartition("(")[2].strip(")")
    assert str(caught.value).endswith(f"; did you mean {alpha} in {second}?")
