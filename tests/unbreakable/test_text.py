"""JSON, YAML and words on the command line that no one writes by mistake: one line, quickly."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import convparity
from common.bench import sweeps
from common.layers.values import SpecError
from common.names import UnknownName
from common.port.alignment import load_map
from common.port.weights import PortError
from common.results.record import SCHEMA_VERSION, load
from common.results.writing import ResultsError
from common.spec.catalogue import block
from report.port.assignments import options_of
from report.port.modules import input_shape

CASE = "{block: standard_conv, options: {in_channels: 4, out_channels: 8}, input: [1, 4, 9, 12]}"
SWEEP = f"blocks: [{CASE}]\nconfigs: [{{backend: torch}}]\n"
MANY = ", ".join(map(str, range(1, 3001)))


def refused(call: Callable[..., object], *arguments: Any, message: str, **options: Any) -> None:
    with pytest.raises((SpecError, PortError, ResultsError, UnknownName)) as caught:
        call(*arguments, **options)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 700
    assert str(caught.value).isprintable()


JSON: dict[str, tuple[bytes, str]] = {
    "lists in lists": (b"[" * 100_000, "RecursionError"),
    "dicts in dicts": (b'{"a":' * 100_000, "RecursionError"),
    "no UTF-8": (b'{"a": "\xff"}', "Error"),
    "half a pair of surrogates": (b'{"a": ["\\ud800"]}', ""),
    "a long number": (b'{"schema_version": ' + b"9" * 5000 + b"}", ""),
    "true for 1": (b'{"schema_version": true, "a": "b"}', ""),
    "a record of lists": (b'{"schema_version": 1, "measurements": [[]]}', ""),
    "a record of nothing": (b'{"schema_version": 1, "measurements": null}', ""),
    "a record of a word": (b'{"schema_version": 2, "environment": "x", "backends": {}}', ""),
    "nothing": (b"", ""),
    "a list": (b"[]", ""),
    "a long word": (b'"' + b"x" * 100_000 + b'"', ""),
}


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("reader", [load, load_map], ids=["record", "map"])
def test_json(reader: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    data, message = JSON[name]
    if name == "true for 1" and reader is load_map:
        data = b'{"a": "b", "a": "c"}'
    (tmp_path / "x.json").write_bytes(data)
    refused(reader, tmp_path / "x.json", message=message)


TIMES: list[tuple[str, Any, str]] = [
    ("seconds", [], "`seconds`, `cpu_seconds` and `rounds` differ in length"),
    ("rounds", [1], "`seconds`, `cpu_seconds` and `rounds` differ in length"),
    ("seconds", [0.0, 0.0], "a time is not a number, or not positive"),
    ("seconds", [0.1, -0.1], "a time is not a number, or not positive"),
    ("cpu_seconds", [0.1, 1e999], "is not a results file"),
    ("clock", [0.1], "`stolen` or `clock` differs in length"),
    ("clock", [0.0, 0.1], "a time is not a number, or not positive"),
]


@pytest.mark.parametrize(("name", "values", "message"), TIMES)
def test_times_that_no_clock_gives(name: str, values: list[float], message: str, tmp_path: Path) -> None:
    samples = {"setup_seconds": 1, "first_call_seconds": 1, "calls": 1, "rounds": [1, 2]}
    samples |= {"seconds": [0.1, 0.2], "cpu_seconds": [0.1, 0.2]}
    row = {"case": "a", "block": "b", "mode": "forward", "dtype": "float32", "config": {"backend": "torch"}}
    record = {"schema_version": SCHEMA_VERSION, "environment": {}, "backends": {}}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(record | {"measurements": [row | {"device": "cpu", "processes": [samples]}]}))
    assert load(path).measurements[0].seconds == [0.1, 0.2]
    broken = row | {"device": "cpu", "processes": [samples | {name: values}]}
    path.write_text(json.dumps(record | {"measurements": [broken]}))
    refused(load, path, message=message)
    path.write_text(json.dumps(record | {"measurements": [row | {"device": "cpu", "processes": []}]}))
    refused(load, path, message="a has no processes")


YAML = {
    "a tag": (SWEEP + "budget: !!int abc", "`tag:yaml.org,2002:int` in line 3 is a tag"),
    "an object": (SWEEP + "title: !!python/object/apply:os.system [ls]", "is a tag; write the value alone"),
    "no date": (SWEEP + "title: 2001-99-99", "is no sweep: month must be in 1..12"),
    "a date": (SWEEP + "title: 2001-09-09", "Expected `str`"),
    "a long number": (SWEEP + "budget: " + "9" * 5000, "has more than 40 digits"),
    "a long number in another base": (SWEEP + "budget: 0x" + "f" * 5000, "has more than 40 digits"),
    "a large number": (SWEEP + "processes: 1000000000", "`processes` (=1000000000) must be positive and at most 100"),
    "a large input": (SWEEP.replace("[1, 4", "[99999999999, 4"), "input shape (=(99999999999, 4, 9, 12)) must be"),
    "large values": (SWEEP.replace("9, 12", "99999999, 99999999"), "would have 79999995200000072 values; at most"),
    "aliases": ("a: &a [1]\nb: [*a, *a]\n", "`*a` in line 2 is an alias; write the value itself"),
    "a merge": ("a: &a {x: 1}\nb: {<<: *a}\n", "is an alias"),
    "a key twice": (SWEEP + "budget: 1\nbudget: 2", "the key 'budget' in line 4 is given twice"),
    "a key twice within": (SWEEP.replace("{in_channels: 4", "{in_channels: 4, in_channels: 4"), "is given twice"),
    "a key of numbers": (SWEEP.replace("{in_channels: 4", "{1: 4"), "a key in line 1 is no word"),
    "a key of a list": ("[a, b]: 1", "a key in line 1 is no word"),
    "depth": ("[" * 100_000, "it has more than 20 levels"),
    "length": ("[" + "1, " * 30_000, "20,000 parts"),
    "bytes": ("#" + "x" * 300_000, "it has more than 262,144 bytes"),
    "nothing": ("", "is no sweep: Expected `object`, got `null`"),
    "two documents": ("a: 1\n---\nb: 2", "expected a single document"),
    "a control": ("a: \x01", "is no sweep: "),
    "threads of letters": (SWEEP.replace("torch}", "torch, threads: '\u0661'}"), "`threads` (='\u0661') must be"),
    "threads": (SWEEP.replace("torch}", "torch, threads: 99999}"), "`threads` (=99999) must be a positive integer up"),
    "tables": (SWEEP + f"vary: {{batch: [{MANY}], size: [{MANY}], channels: [{MANY}]}}", "27,000,000,000 tables"),
    "configurations": (
        SWEEP.replace("backend: torch", f"backend: [{'torch, ' * 99}], threads: [{MANY}]"),
        "it has 297,000 configurations; at most 1,000",
    ),
    "an escape": (SWEEP.replace("standard_conv", '"\\e[31m"'), r"unknown block `\x1b[31m`"),
}


@pytest.mark.parametrize("name", YAML)
def test_yaml(name: str, tmp_path: Path) -> None:
    text, message = YAML[name]
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    refused(lambda: sweeps.experiments(sweeps.load(path), ["torch"]), message=message)


def test_many_cases_are_told_apart_in_no_time(tmp_path: Path) -> None:
    """Each of 3,000 cases was once sought in all before it, which took minutes."""
    (tmp_path / "x.yaml").write_text(SWEEP + f"vary: {{batch: [{MANY}]}}")
    assert len(sweeps.experiments(sweeps.load(tmp_path / "x.yaml"), ["torch"])) == 3000


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("mobilenet_v1", {"alpha": 1e308}, "`mobilenet_v1`: its options are too large"),
    ("mobilenet_v1", {"alpha": 1e9}, "must be at most 2147483647"),
    ("mobilenet_v1", {"alpha": 10**400}, "`alpha` (=1000"),
    ("mobilenet_v1", {"alpha": float("nan")}, "`alpha` (=nan) must be finite"),
    ("mobilenet_v1", {"alpha": -1.0}, "`alpha` (=-1.0) must leave the stem"),
    ("standard_conv", {"in_channels": -(16**5000), "out_channels": 3}, "`in_channels` (=unprintable int)"),
    (
        "standard_conv",
        {"in_channels": 2**31, "out_channels": 3},
        "`in_channels` (=2147483648) must be at most 2147483647",
    ),
    ("standard_conv", {"in_channels": 2**30, "out_channels": 2**30}, "has 10376293542535364608 numbers; at most"),
    ("standard_conv", {"in_channels": 2, "out_channels": 2, "padding": b"ab"}, "`padding` (=b'ab') must be an integer"),
    ("standard_conv", {"in_channels": 2, "out_channels": 2, "padding": 10**5000}, "`padding` (=unprintable int)"),
    ("standard_conv", {"in_channels": 2, "out_channels": 2, "name": "x"}, "`name` is not an option of `standard_conv`"),
    ("standard_conv", {"in_channels": True, "out_channels": 2}, "`in_channels` (=True) must be an integer"),
    ("conv_stack", {"in_channels": 3, "depth": 10**12}, "`depth` (=1000000000000) must be at most 2147483647"),
    ("conv_stack", {"in_channels": 3, "depth": 10**6}, "`depth` (=1000000) must be at most 1000"),
    ("separable_stack", {"in_channels": 3, "depth": -1}, "`depth` (=-1) must be a positive integer"),
]


@pytest.mark.parametrize(("family", "options", "message"), OPTIONS)
def test_options(family: str, options: dict[str, Any], message: str) -> None:
    refused(block, family, **options, message=message)


def test_what_is_typed_becomes_an_option_or_one_line() -> None:
    for text in ("9" * 5000, "(" * 5000, "{[]: 1}", "-" * 99_999 + "1", "\0", "{1: 2}", "b'x'", "0x" + "f" * 5000):
        options = options_of(["out_channels=2", f"in_channels={text}"])
        refused(block, "standard_conv", **options, message="`in_channels` (=")
    refused(options_of, ["a=1", " a = 2"], message="`--set` gives `a` twice")
    refused(options_of, ["\x1b[31m" + "x" * 9999], message=r"`--set \x1b[31mxxx")


@pytest.mark.parametrize(
    "text",
    ["1x3x9x0", "1x3xx9", "1,3,9", "-1x3x9x9", "１x3x9x9", "²x3x9x9", "1x3x9x" + "9" * 5000, "99999x99999x9x9"],
)
def test_inputs(text: str) -> None:
    refused(
        input_shape,
        text,
        message="must be numbers above 0 with x between them, such as 1x3x224x224, and at most 268435456 values",
    )


def test_names_that_are_no_words() -> None:
    for name in (None, 3, [], {}, object(), "x" * 10**6, "\x1b[31m"):
        refused(convparity.block, name, message="unknown block `")
