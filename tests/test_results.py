"""Records survive the disk, older files are read, and bad ones are refused in one line."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

from common.config import Config
from common.processes.pool import ROOT
from common.results.measurements import Measurement, MemoryUse, Peaks, Samples
from common.results.record import (
    NOT_INSTALLED,
    SCHEMA_VERSION,
    CheckResult,
    RunRecord,
    Unavailable,
    as_json,
    dump,
    load,
    schema,
)
from common.results.writing import ResultsError, write_text

VERSION_1 = Path(__file__).parent / "data" / "results-v1.json"

GOOD = CheckResult("conv-a", "conv", "torch", "forward", True, "[conv-a / torch] forward: agrees", "random", 1e-7, 3e-7)


def record() -> RunRecord:
    one = Samples(0.1, 0.2, 3, [1.0, 3.0, 2.0], [2.0, 6.0, 4.0], [0, 1, 2], [0.0, 0.0, 0.1], [1e-4, 1e-4, 1e-4])
    other = Samples(0.3, 0.6, 3, [4.0], [4.0], [1])
    config = Config("torch", form="compiled", threads="unset")
    row = Measurement("conv-a", "conv", "gradients", "float32", config, "cpu", [one, other])
    memory = [MemoryUse("conv-a", "gradients", "float32", config, 1000)]
    missing = [Unavailable("jax", "conv-a", "build", "no", "step", "float32", Config("jax"))]
    peaks = Peaks(1e11, [(1000, 1e10), (1000000, 5e9)])
    return RunRecord(
        {"cpu": "x"}, {"torch": {"torch": "2"}}, "quick", [GOOD], [], [row], memory, peaks, missing, seconds=2.5
    )


def test_a_record_survives_the_disk(tmp_path: Path) -> None:
    dump(record(), tmp_path / "deep" / "r.json")
    assert load(tmp_path / "deep" / "r.json") == record()


def test_a_record_is_a_line_if_no_other_is_within_it() -> None:
    numbers, short = list(range(100)), {"a": [1], "b": {}}
    assert as_json({"short": short, "long": [numbers, short], "none": []}).splitlines() == [
        "{",
        ' "short": {"a": [1], "b": {}},',
        ' "long": [',
        f"  {numbers},",
        '  {"a": [1], "b": {}}',
        " ],",
        ' "none": []',
        "}",
    ]
    assert msgspec.convert(json.loads(as_json(record())), RunRecord) == record()


@pytest.mark.parametrize("path", sorted((ROOT / "report").rglob("*.json")), ids=lambda path: path.stem)
def test_the_committed_files_are_written_so(path: Path) -> None:
    text = path.read_text()
    assert text == as_json(json.loads(text)) + "\n"


def test_what_is_derived() -> None:
    assert GOOD.margin == pytest.approx(3)
    row = record().measurements[0]
    assert (row.median, row.quartiles, row.threads_used) == (2.5, (1.75, 3.25), 1.6)
    assert (row.setup_seconds, row.first_call_seconds) == pytest.approx((0.2, 0.4))
    assert row.key == ("conv-a", "gradients", "float32", row.config)
    assert row.config.label == "torch compiled threads unset"
    assert record().peaks is not None
    assert [Peaks(1, [(1000, 1e10), (1000000, 5e9)]).bandwidth(size) for size in (0, 30000, 40000)] == [1e10, 1e10, 5e9]


def test_a_file_of_version_1_is_read() -> None:
    """A part of a committed run: two cases in two backends, and what it said of them itself."""
    old, new = json.loads(VERSION_1.read_text()), load(VERSION_1)
    assert old["schema_version"] == 1
    assert [(row.case, row.config) for row in new.measurements] == [
        (row["case"], Config(row["backend"])) for row in old["measurements"]
    ]
    assert len(new.measurements) == 4
    for row, before in zip(new.measurements, old["measurements"], strict=True):
        assert (row.mode, row.dtype, len(row.processes)) == ("forward", "float32", 1)
        assert row.median == np.median(before["seconds"])
        assert row.processes[0].calls == before["calls_per_sample"]
        assert row.processes[0].rounds == before["rounds"]
        assert row.threads_used == sum(before["cpu_seconds"]) / np.sum(before["seconds"])
    (cost,) = new.costs
    assert (cost.input_bytes, cost.output_bytes) == (4 * 128 * 56 * 56,) * 2
    assert (new.checks[0].error, new.environment) == (old["checks"][0]["error"], old["environment"])


def test_a_file_of_version_1_is_written_as_one_of_this(tmp_path: Path) -> None:
    dump(load(VERSION_1), tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())["schema_version"] == SCHEMA_VERSION
    assert load(tmp_path / "r.json") == load(VERSION_1)


def test_the_committed_schema_is_current() -> None:
    """Written by `python -c "from common.results import record; print(record.schema(), end='')"`."""
    assert (ROOT / "report" / "schema.json").read_text() == schema()


@pytest.mark.parametrize("made", [record(), load(VERSION_1)], ids=["this version", "version 1"])
def test_what_is_written_is_as_the_schema_says(made: RunRecord) -> None:
    """All that is written is in the schema, and all that the schema requires is written; its types are msgspec's."""
    definitions = json.loads(schema())["$defs"]
    seen = set()

    def follow(value: object) -> None:
        if is_dataclass(value) and not isinstance(value, type):
            name = type(value).__name__
            seen.add(name)
            written, known = set(msgspec.to_builtins(value)), set(definitions[name]["properties"])
            assert known == {field.name for field in fields(value)}
            assert set(definitions[name].get("required", [])) <= written <= known
            for field in fields(value):
                follow(getattr(value, field.name))
        elif isinstance(value, list | tuple | dict):
            for item in value.values() if isinstance(value, dict) else value:
                follow(item)

    follow(made)
    assert {"RunRecord", "Measurement", "Samples", "Config", "CheckResult"} <= seen
    assert msgspec.convert(msgspec.to_builtins(made), RunRecord, strict=True) == made


def test_when_a_run_is_complete() -> None:
    good = record()
    good.unavailable.clear()
    assert good.complete
    good.unavailable.append(Unavailable("jax", "", NOT_INSTALLED, "not there"))
    assert good.complete
    good.unavailable.append(Unavailable("torch", "conv-b", "check", "killed"))
    assert not good.complete
    bad = record()
    bad.unavailable.clear()
    bad.checks.append(CheckResult("conv-a", "conv", "jax", "shape", False, "no"))
    assert not bad.complete


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "is not a results file"),
        ("[]", "schema version None, this is for"),
        ('{"schema_version": 99}', f"schema version 99, this is for {SCHEMA_VERSION}"),
        ('{"schema_version": 1, "measurements": [{}]}', "is not a results file: 'setup_seconds'"),
        ('{"schema_version": 1, "measurements": ["a"]}', "is not a results file: 'str' object"),
        ('{"schema_version": 1, "measurements": 3}', "is not a results file: 'int' object is not iterable"),
        ('{"schema_version": 1, "measurements": [3]}', "is not a results file: 'int' object"),
        ('{"schema_version": [1]}', "is"),
        ('{"schema_version": 1, "costs": [{"input_shape": "ab", "output_shape": []}]}', "is not a results file"),
        (f'{{"schema_version": {SCHEMA_VERSION}}}', "is not a results file: Object missing required field"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ResultsError) as caught:
        load(tmp_path / "r.json")
    assert message in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="No such file"):
        load(tmp_path / "r.json")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.txt"
    write_text(path, "old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ResultsError, match=r"cannot write .*r.txt: No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
