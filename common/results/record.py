"""The results of a run, and their versioned JSON. Raw numbers are stored; what is derived from them is a property."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from common.config import Config
from common.results.files import read
from common.results.measurements import Measurement, MemoryUse, Peaks
from common.results.writing import ResultsError, write_text
from common.spec.costs import Cost

SCHEMA_VERSION = 2
WIDTH = 120  # of a line of JSON that has records or lists within it
# Stages of an Unavailable that nobody asked for: a framework that is not installed, and one that cannot train.
NOT_INSTALLED, NOT_TRAINED = "installation", "training levels"


@dataclass(frozen=True)
class CheckResult:
    """One level of one case in one backend; ``error`` and ``allowance`` are those of the worst element."""

    case: str
    block: str
    backend: str
    level: str
    passed: bool
    message: str
    input: str = ""
    error: float | None = None
    allowance: float | None = None
    trainable: int | None = None  # values in the framework, at level `parameters`
    buffers: int | None = None
    layer: str = ""  # where a failure begins, if that is known
    device: str = ""  # of the block, once it was built

    @property
    def margin(self) -> float | None:
        """Allowance over error: how many times larger the error might have been."""
        if self.error is None or self.allowance is None:
            return None
        return self.allowance / self.error if self.error else float("inf")


@dataclass(frozen=True)
class LayerRow:
    """One layer of a block in one stage. ``error`` is its worst error in the run of the whole block.

    ``own_error`` is that of the layer alone, on the inputs that it read. Each has its allowance. None: no number.
    """

    node: str
    layer: str
    stage: str
    error: float | None
    allowance: float | None
    own_error: float | None
    own_allowance: float | None

    @property
    def differs(self) -> bool:
        return self.error is None or self.allowance is None or not self.error <= self.allowance

    @property
    def wrong(self) -> bool:
        """Whether the layer itself is wrong."""
        return self.own_error is None or self.own_allowance is None or not self.own_error <= self.own_allowance


@dataclass(frozen=True)
class FaultResult:
    """One fault put into one backend: where it must be caught, and the first failed level and its layer (or empty)."""

    fault: str
    mistake: str
    backend: str
    expected_level: str
    expected_layer: str
    level: str
    layer: str
    message: str

    @property
    def caught(self) -> bool:
        """At the right level, and at the right layer."""
        return (self.level, self.layer) == (self.expected_level, self.expected_layer)


@dataclass(frozen=True)
class Unavailable:
    """What is missing from a run, and why; ``case`` is empty if the whole backend is missing.

    A missing measurement has its mode and configuration.
    """

    backend: str
    case: str
    stage: str
    reason: str
    mode: str = ""
    dtype: str = ""
    config: Config | None = None
    died: bool = False  # its process died or hung: another try may succeed

    @property
    def group(self) -> tuple[str, str, str]:
        return self.case, self.mode, self.dtype

    @property
    def label(self) -> str:
        return self.config.label if self.config else self.backend


@dataclass(frozen=True, kw_only=True)
class CaseCost(Cost):
    """A case's shape and cost, in float32."""

    case: str
    block: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    @property
    def input_bytes(self) -> int:
        return 4 * math.prod(self.input_shape)

    @property
    def output_bytes(self) -> int:
        return 4 * math.prod(self.output_shape)


@dataclass
class RunRecord:
    """One run: where, what was agreed, what it costs, how long it took, and what is missing."""

    environment: dict[str, str]
    backends: dict[str, dict[str, str]]
    profile: str = ""
    checks: list[CheckResult] = field(default_factory=list)
    costs: list[CaseCost] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    memory: list[MemoryUse] = field(default_factory=list)
    peaks: Peaks | None = None
    unavailable: list[Unavailable] = field(default_factory=list)
    faults: list[FaultResult] = field(default_factory=list)
    seconds: float = 0.0
    timed_seconds: dict[str, float] = field(default_factory=dict)  # what each timed table took, all included
    title: str = ""  # of a sweep
    about: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def complete(self) -> bool:
        """Whether all that was asked for was done, all checks agree and all faults were caught.

        A framework that is not installed was not asked; nor was training, of one that has inference alone.
        """
        missing = [item for item in self.unavailable if item.stage not in (NOT_INSTALLED, NOT_TRAINED)]
        right = all(result.passed for result in self.checks) and all(fault.caught for fault in self.faults)
        return right and not missing


def as_json(value: object, newline: str = "\n") -> str:
    """JSON in which a record or a list is one line if it fits into WIDTH or has no other in it."""
    plain = msgspec.to_builtins(value)
    line = msgspec.json.format(msgspec.json.encode(plain), indent=0).decode()
    items = list(plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list | tuple) else ())
    if len(line) <= WIDTH or not any(isinstance(item, dict | list | tuple) for item in items):
        return line
    names = [f"{as_json(name)}: " for name in plain] if isinstance(plain, dict) else [""] * len(items)
    inner = f",{newline} ".join(name + as_json(item, f"{newline} ") for name, item in zip(names, items, strict=True))
    return f"{line[0]}{newline} {inner}{newline}{line[-1]}"


def dump(record: object, path: Path) -> None:
    """Writes a record as JSON; raises as `write_text` does."""
    write_text(path, as_json(record) + "\n")


def _from_1(data: dict[str, Any]) -> None:
    """Version 1 timed forward passes only, each in one process."""
    for row in data.get("measurements", []):
        samples = {name: row.pop(name) for name in ("setup_seconds", "first_call_seconds", "seconds", "cpu_seconds")}
        samples |= {"calls": row.pop("calls_per_sample"), "rounds": row.pop("rounds")}
        config = {"backend": row.pop("backend")}
        row |= {"mode": "forward", "dtype": "float32", "config": config, "processes": [samples]}


def load(path: Path) -> RunRecord:
    """Reads a run's record, of this version or an older one; raises as `read` does."""
    record = read(path, RunRecord, SCHEMA_VERSION, {1: _from_1})
    try:
        for measurement in record.measurements:
            measurement.check()
    except ValueError as error:
        raise ResultsError(f"{path} is not a results file: {error}") from None
    return record


def schema() -> str:
    """The JSON schema of a run's record."""
    return as_json(msgspec.json.schema(RunRecord)) + "\n"
