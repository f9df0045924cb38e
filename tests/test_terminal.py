"""The command line as it is seen: versions, completion, plain tables, and a trace that fits the screen."""

import pytest
from click.shell_completion import BashComplete

import frameworks
from common.check import divergence
from common.results.record import LayerRow
from common.spec import catalogue
from report.cli import cli, main
from report.sections.trace import LONGEST, first_wrong, layers
from report.text import Table, plain


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit):
        main(list(arguments))
    return capsys.readouterr().out


def completed(*words: str) -> list[str]:
    *before, start = words
    complete = BashComplete(cli, {}, "convparity", "_CONVPARITY_COMPLETE")
    return [item.value for item in complete.get_completions(before, start)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("check", "-b", "t"), ["torch"]),
        (("bench", "-b", "o"), ["onnxruntime", "openvino"]),
        (("check", "-k", "pointwise_conv-b"), ["pointwise_conv-bias"]),
        (("explain", "ghost"), ["ghost_module", "ghost_bottleneck", "ghostnet"]),
        (("port", "--to", "f"), ["flax"]),
        (("port", "--block", "mobilenet_v1"), ["mobilenet_v1"]),
        (("selftest", "-k", "norm eps o"), ["norm eps outside"]),
        (("explain", "--symptom", "training-d"), ["training-diverges"]),
        (("bench", "--mode", "g"), ["gradients"]),
        (("report", "--profile", "f"), ["full"]),
        (("check", "--dtype", ""), ["float32", "float64"]),
    ],
)
def test_a_shell_completes_values(words: tuple[str, ...], expected: list[str]) -> None:
    assert completed(*words) == expected


def test_the_version_names_the_commit_and_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(frameworks.BACKENDS, "other", frameworks.Row("tests.other", ("no_such_module",)))
    first, *lines = printed(capsys, "--version").splitlines()
    assert first.startswith("convparity ")
    assert ", commit " in first
    assert next(line for line in lines if line.startswith("numpy ")).split()[1][0].isdigit()
    assert "no_such_module not installed" in lines


@pytest.mark.parametrize("command", cli.commands)
def test_help_has_no_marks_of_its_source(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\\b" not in printed(capsys, command, "--help")


def test_help_keeps_the_lines_of_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n  paddle:     .pdparams .safetensors\n" in printed(capsys, "port", "--help")


def test_list_shows_cases_only_if_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "BACKENDS", {})
    assert "pointwise_conv-bias" not in printed(capsys, "list")
    assert "    pointwise_conv-bias  2x" in printed(capsys, "list", "-v")


def test_a_table_on_a_terminal_has_no_marks_of_markdown() -> None:
    text = plain(Table(["`case`", "x"], [["`conv`", "**DIFFERS** 0/1"]]))
    assert text.splitlines()[-1].split() == ["conv", "DIFFERS", "0/1"]
    assert not set("`*") & set(text)


def row(node: str, error: float | None, own: float | None, stage: str = divergence.OUTPUT) -> LayerRow:
    return LayerRow(node, "BatchNorm2d", stage, error, 1e-6, own, 1e-6)


def test_a_trace_marks_the_first_layer_that_is_itself_wrong() -> None:
    rows = [row("a", 5e-7, 0.0), row("b", 3e-6, 3e-6), row("c", 4e-6, 5e-7), row("d", 1e-5, 1e-5)]
    marked = [(cells[0], *cells[2:]) for cells in layers(rows).rows]
    assert marked == [("a", "0.5", "0"), ("> b", "!3", "!3"), ("c", "!4", "0.5"), ("d", "!10", "!10")]
    assert first_wrong(rows) == "first wrong layer: b (BatchNorm2d), in its output: error 3.0e-06, allowed 1.0e-06"
    assert "no layer is wrong" in first_wrong(rows[:1])


def test_a_trace_of_a_layer_of_another_shape_says_so() -> None:
    rows = [row("a", None, None)]
    assert layers(rows).rows == [["> a", "BatchNorm2d", "!shape", "!shape"]]
    assert first_wrong(rows) == "first wrong layer: a (BatchNorm2d), in its output: its shape"


def test_a_trace_of_any_block_fits_100_columns() -> None:
    for case in catalogue.cases():
        rows = [
            LayerRow(node.name, type(node.layer).__name__, stage, 1.23e-4, 1e-6, 1.23e-4, 1e-6)
            for node in case.spec.nodes
            for stage in divergence.STAGES
        ]
        assert max(map(len, plain(layers(rows)).splitlines())) <= 100
    assert layers([row("x" * (LONGEST + 1), 0.0, 0.0)]).rows[0][0] == "..." + "x" * (LONGEST - 3)
