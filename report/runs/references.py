"""What the reference says of cases, computed ahead of its use."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from common.check.judge import Expectation, expectations
from common.names import first_line
from common.processes.pool import WorkerFailed
from common.spec.catalogue import Case


def _reference(case: Case) -> Expectation | WorkerFailed:
    try:
        return expectations(case)
    except MemoryError as error:
        return WorkerFailed(first_line(error))


@contextlib.contextmanager
def references(cases: Sequence[Case]) -> Iterator[Iterator[Expectation | WorkerFailed]]:
    """For each case its `expectations`, or why this machine cannot have them, from a thread of their own.

    If the context ends early, what is not begun is left.
    """
    thread = ThreadPoolExecutor(1)
    try:
        yield thread.map(_reference, cases)
    finally:
        thread.shutdown(wait=False, cancel_futures=True)
