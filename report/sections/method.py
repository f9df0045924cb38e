"""The sections on what is missing and on the method: pure functions from a RunRecord."""

from collections.abc import Iterator

from common.bench import schedule
from common.results.record import RunRecord
from report.text import Table, markdown


def missing_section(record: RunRecord) -> Iterator[str]:
    """What could not be checked or timed, and why."""
    yield "## Not available"
    if not record.unavailable:
        yield "Nothing failed, and every framework was installed."
        return
    yield "What could not be checked or timed, and why; every other row is complete."
    rows = [[u.backend, u.case or "everything", u.stage, u.reason] for u in record.unavailable]
    yield markdown(Table(["backend", "case", "stage", "reason"], rows))


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
        f"[{raw}]({raw}). Accelerators are detected and preferred, but all these numbers are from CPUs."
    )
