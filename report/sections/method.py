"""The sections on accelerators and on the method: pure functions from records."""

from collections.abc import Iterator, Sequence

from common.bench import schedule
from common.results.record import RunRecord
from report.text import Table, markdown, unique


def accelerators_section(records: Sequence[RunRecord]) -> Iterator[str]:
    """What the records have from other devices than CPUs."""
    yield "## What was run on accelerators"
    yield (
        "CUDA, ROCm, XPU, Apple, NPU and TPU devices are found, and preferred, if the framework has them; `-d` chooses "
        "one by the framework's name for it."
    )
    devices = unique(m.device for record in records for m in record.measurements)
    if others := [name for name in devices if not name.startswith("cpu")]:
        rows = [
            [name, m.config.label, f"`{m.case}`", m.mode]
            for name in others
            for record in records
            for m in record.measurements
            if m.device == name
        ]
        yield markdown(Table(["device", "configuration", "case", "mode"], rows))
    else:
        yield "Nothing: every number in this report is from a CPU."
    found = {(name, facts.get("devices", "")): 0 for record in records for name, facts in record.backends.items()}
    yield "Devices that the frameworks found, the one used first:"
    yield markdown(Table(["backend", "devices"], list(found)))


def method_section(record: RunRecord, raw: str) -> Iterator[str]:
    """How times are taken."""
    yield "## How it was measured"
    processes = [row.processes for row in record.measurements] or [[]]
    fewest = min((len(process.rounds) for row in processes for process in row), default=schedule.MIN_ROUNDS)
    yield (
        f"Every configuration has processes of its own: {len(processes[0])} in this run. All processes start with the "
        "same number of threads in their environment, before the framework is imported. In each round every "
        "process has one turn, in a new random order, so that drift of the machine affects all equally. The other "
        "processes are stopped meanwhile (SIGSTOP), because idle threads of some pools spin. A turn starts with "
        "uncounted calls and then times about 30 ms of calls. Rounds go on until each ratio to one of the "
        f"configurations is known to {schedule.HALF_WIDTH:.0%} from the rounds alone, or the time is up; there are at "
        f"least {fewest}. What is timed is compared with the reference before the first and after the "
        "last round: a row that fails is listed as wrong, without a time. The clock starts when the arrays are on the "
        "device, in the framework's own layout, and stops when the result is ready. All raw samples are in "
        f"[{raw.removeprefix('../')}]({raw})."
    )
