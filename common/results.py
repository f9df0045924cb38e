"""What a run yields, and its versioned JSON. Raw numbers are stored; whatever is derived from them is a property."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from common.costs import Cost

SCHEMA_VERSION = 1
Record = TypeVar("Record")
NOT_INSTALLED = "installation"  # the stage of an Unavailable whose framework is not there


class ResultsError(ValueError):
    """A results file that cannot be read or written; the message says why in one line."""


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
    trainable: int | None = None  # values the framework holds, at level `parameters`
    buffers: int | None = None
    layer: str = ""  # where a failure begins, if that could be told

    @property
    def margin(self) -> float | None:
        """Allowance over error: how many times larger the error might have been."""
        if self.error is None or self.allowance is None:
            return None
        return self.allowance / self.error if self.error else float("inf")


@dataclass(frozen=True)
class LayerRow:
    """One layer of a block in one stage: its worst error so far, and its own on what it was given; None: no number.

    ``own_allowance`` holds for ``own_error``, as ``allowance`` for ``error``.
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
        """Whether the layer itself is."""
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
class Measurement:
    """Forward times of one case in one backend: seconds a call, one value a round, in the order of the rounds.

    ``cpu_seconds`` is the processor time of the same calls: divided by the wall time it is the threads really used.
    """

    case: str
    block: str
    backend: str
    device: str
    setup_seconds: float
    first_call_seconds: float
    calls_per_sample: int
    seconds: list[float]
    cpu_seconds: list[float]
    rounds: list[int]

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        low, high = np.quantile(self.seconds, [0.25, 0.75])
        return float(low), float(high)

    @property
    def threads_used(self) -> float:
        return float(np.sum(self.cpu_seconds) / np.sum(self.seconds))


@dataclass(frozen=True)
class Unavailable:
    """What is missing from a run, and why; ``case`` is empty when the whole backend is."""

    backend: str
    case: str
    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseCost(Cost):
    """A case's shape and cost."""

    case: str
    block: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


@dataclass
class RunRecord:
    """One run: where, what was agreed, what it costs, how long it took, and what is missing."""

    environment: dict[str, str]
    backends: dict[str, dict[str, str]]
    profile: str = ""
    checks: list[CheckResult] = field(default_factory=list)
    costs: list[CaseCost] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    unavailable: list[Unavailable] = field(default_factory=list)
    faults: list[FaultResult] = field(default_factory=list)
    seconds: float = 0.0
    schema_version: int = SCHEMA_VERSION

    @property
    def complete(self) -> bool:
        """Whether all that was asked for was done, agrees and, of faults, was caught.

        A framework that is not installed was not asked.
        """
        missing = [item for item in self.unavailable if item.stage != NOT_INSTALLED]
        right = all(result.passed for result in self.checks) and all(fault.caught for fault in self.faults)
        return right and not missing


def write_text(path: Path, text: str | None) -> None:
    """Replaces a file whole or not at all; None only tries whether that could be done.

    Raises:
        ResultsError: if it cannot be written; the file that was there is untouched.
    """
    path = path.resolve()  # through a symbolic link, not over it
    if path.exists() and not path.is_file():
        raise ResultsError(f"cannot write {path}: not a regular file")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text or "", encoding="utf-8")
            if text is not None:
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from None


def dump(record: object, path: Path) -> None:
    """Writes a record as JSON; raises as `write_text` does."""
    write_text(path, msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n")


def read(path: Path, kind: type[Record], version: int) -> Record:
    """Reads a record of one kind.

    Raises:
        ResultsError: if the file cannot be read, is not such a record, or is of another schema version.
    """
    try:
        data = msgspec.json.decode(path.read_bytes())
        found = data.get("schema_version") if isinstance(data, dict) else None
        if found != version:
            raise ResultsError(f"{path}: schema version {found!r}, this is for {version}")
        return msgspec.convert(data, kind)
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise ResultsError(f"{path} is not a results file: {error}") from None


def load(path: Path) -> RunRecord:
    """Reads a run's record; raises as `read` does."""
    return read(path, RunRecord, SCHEMA_VERSION)
