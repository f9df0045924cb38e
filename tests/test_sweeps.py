"""A sweep's file: the example of the documentation is valid, and an error is one line."""

import textwrap
from pathlib import Path

import pytest

from common.bench import sweeps
from common.bench.sweeps import BUILD, START
from common.config import Config
from common.layers.values import SpecError
from common.names import UnknownName
from common.results.writing import ResultsError

BACKENDS = ("torch", "paddle", "jax", "flax", "onnxruntime")
CASE = "{block: standard_conv, options: {in_channels: 4, out_channels: 8}, input: [1, 4, 9, 12]}"
SMALL = f"blocks: [{CASE}]\nconfigs: [{{backend: torch}}]\n"


def read(tmp_path: Path, text: str) -> sweeps.Sweep:
    (tmp_path / "sweep.yaml").write_text(text)
    return sweeps.load(tmp_path / "sweep.yaml")


def planned(tmp_path: Path, text: str) -> list[sweeps.Experiment]:
    return sweeps.experiments(read(tmp_path, text), BACKENDS, inference_only=("onnxruntime",))


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    example = (sweeps.__doc__ or "").partition("::\n")[2].partition("\n\nOnly")[0]
    sweep = read(tmp_path, textwrap.dedent(example))
    assert (sweep.title, sweep.budget, sweep.processes, sweep.memory) == ("What else moves the clock", 10, 3, False)
    experiments = sweeps.experiments(sweep, BACKENDS)
    assert len(experiments) == 2 * 8
    assert len({experiment.group for experiment in experiments}) == 16
    assert experiments[0].case.id == "standard_conv-c32_padding1-1x32x14x14"
    assert experiments[-1].case.id == "depthwise_conv-c64-16x64x28x28"
    assert [config.label for config in experiments[0].configs] == [
        "torch",
        "paddle",
        "jax",
        "flax",
        "torch compiled",
        "torch 1 thread",
        "torch 1 thread tuned allocator",
        "torch threads unset",
        "torch threads unset tuned allocator",
        "paddle 1 thread",
        "paddle 1 thread tuned allocator",
        "paddle threads unset",
        "paddle threads unset tuned allocator",
    ]


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    (only,) = planned(tmp_path, SMALL)
    assert (only.case.id, only.mode, only.case.dtype) == ("standard_conv-c4_8-1x4x9x12", "forward", "float32")
    assert only.configs == (Config("torch"),)


def test_what_is_varied_is_set_in_the_block_and_its_input(tmp_path: Path) -> None:
    experiments = planned(tmp_path, SMALL + "vary: {batch: [2, 3], size: [7], channels: [5]}\n")
    assert [experiment.case.input_shape for experiment in experiments] == [(2, 5, 7, 7), (3, 5, 7, 7)]
    assert {experiments[0].case.spec.options[name] for name in ("in_channels", "out_channels")} == {5}


def test_configurations_that_a_mode_does_not_have_are_left_out(tmp_path: Path) -> None:
    text = f"blocks: [{CASE}]\nconfigs: [{{backend: [torch, onnxruntime]}}]\n"
    experiments = planned(tmp_path, text + "modes: [forward, gradients]\ndtypes: [float32, bfloat16]\n")
    assert [(e.mode, e.case.dtype, [config.backend for config in e.configs]) for e in experiments] == [
        ("forward", "float32", ["torch", "onnxruntime"]),
        ("gradients", "float32", ["torch"]),
        ("forward", "bfloat16", ["torch", "onnxruntime"]),
    ]
    with pytest.raises(ResultsError, match="nothing to time: no configuration can do step in bfloat16"):
        planned(tmp_path, text + "modes: [step]\ndtypes: [bfloat16]\n")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("blocks: [", ResultsError, "is no sweep: .* parsing"),
        ("- 1", ResultsError, "is no sweep: Expected `object`, got `array`"),
        ("title: x", ResultsError, "missing required field `blocks`"),
        (SMALL + "budgett: 1", ResultsError, "contains unknown field `budgett`"),
        (SMALL + "budget: 0", ResultsError, "`budget` \\(=0.0\\) must be positive"),
        (SMALL + "budget: .nan", ResultsError, "`budget` \\(=nan\\) must be positive"),
        (SMALL + "processes: 1.5", ResultsError, "Expected `int`, got `float` - at `\\$.processes`"),
        (SMALL + "modes: []", ResultsError, "`modes` is empty"),
        (SMALL + "modes: [backward]", UnknownName, "unknown mode `backward`; choose from forward, gradients, step"),
        (SMALL + "dtypes: [int8]", UnknownName, "unknown dtype `int8`; choose from bfloat16, float32"),
        (SMALL + "vary: {batch: [0]}", SpecError, "input shape .* each at least 1"),
        (SMALL + "vary: {size: [2]}", SpecError, "standard_conv: `conv`: "),
        (SMALL.replace("torch", "tf"), UnknownName, "unknown backend `tf`; choose from torch"),
        (SMALL.replace("torch}", "torch, form: fast}"), UnknownName, "unknown form `fast`; choose from usual"),
        (
            SMALL.replace("torch}", "torch, threads: 0}"),
            SpecError,
            "`threads` \\(=0\\) must be a positive integer up to",
        ),
        (SMALL.replace("standard_conv", "conv3d"), UnknownName, "unknown block `conv3d`; choose from standard_conv"),
        (
            SMALL.replace("in_ch", "ch"),
            SpecError,
            "`channels` is not an option of `standard_conv`; did you mean `in_channels`",
        ),
        (SMALL.replace("[1, 4", "[1, 3"), SpecError, "has 3 channels; `standard_conv` takes 4"),
        (SMALL.replace(CASE, f"{CASE}, {CASE}"), ResultsError, "`standard_conv-c4_8-1x4x9x12` occurs twice"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        planned(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"cannot read .*none.yaml: No such file"):
        sweeps.load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00\x01")
    with pytest.raises(ResultsError, match="is no sweep"):
        sweeps.load(tmp_path / "binary.yaml")


def test_a_plan_counts_processes_and_seconds(tmp_path: Path) -> None:
    experiments = planned(tmp_path, SMALL.replace("torch", "[torch, jax]") + "vary: {batch: [1, 2]}")
    rows, total = sweeps.plan(experiments, budget=10, processes=3)
    assert [(row.title, row.configs, row.processes) for row in rows] == [(e.title, 2, 6) for e in experiments]
    assert total == pytest.approx(2 * (10 + 6 * (START + BUILD)))
