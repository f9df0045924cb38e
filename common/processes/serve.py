"""The child's side: answers requests over a pipe until the pipe closes."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection

from common.names import first_line


def serve(make: Callable[[], object], descriptor: str, threads: str, first: str) -> None:
    """Answers requests by the methods of what ``make`` gives, which is made at the first of them.

    A request that raises is answered with the error, and the next one is served.
    """
    if sys.platform == "linux":  # a parent that is killed takes its workers with it, even stopped ones
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if hasattr(os, "sched_setaffinity"):  # not on macOS
        ours = sorted(os.sched_getaffinity(0))
        start = int(first) % len(ours)
        os.sched_setaffinity(0, (ours[start:] + ours[:start])[: int(threads) or None])
    connection = Connection(int(descriptor))
    session: object = None
    while True:
        try:
            request, arguments = connection.recv()
        except EOFError:  # the parent is gone
            return
        try:
            session = session or make()
            connection.send((True, getattr(session, request)(*arguments)))
        except Exception as error:
            connection.send((False, first_line(error)))
