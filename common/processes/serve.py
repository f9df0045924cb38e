"""The child's side: answers requests over a socket until that closes."""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from common.names import first_line
from common.processes import family
from common.processes.messages import answer, encode, read_request

HIGH = 512  # a descriptor that code which writes to low ones, or closes them, does not meet


def serve(make: Callable[[], object], descriptor: str, threads: str, first: str) -> None:
    """Answers requests by the methods of what ``make`` gives, which is made at the first of them.

    A request that raises or exits is answered with the error, and the next one is served.
    """
    if sys.platform == "linux":  # a parent that is killed takes its workers with it, even stopped ones
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        with contextlib.suppress(OSError):  # where memory ends, a worker goes before its parent
            Path("/proc/self/oom_score_adj").write_text("1000")
        family.guard()
    if hasattr(os, "sched_setaffinity"):  # not on macOS
        ours = sorted(os.sched_getaffinity(0))
        start = int(first) % len(ours)
        os.sched_setaffinity(0, (ours[start:] + ours[:start])[: int(threads) or None])
    channel = socket.socket(fileno=_moved(int(descriptor)))
    served, identity = os.getpid(), _identity(channel.fileno())
    session: object = None
    while True:
        try:
            asked, request, arguments = read_request(channel.recv_into)
        except EOFError:  # the parent is gone
            os._exit(0)  # without waiting for threads
        try:
            session = session or make()
            succeeded, body = True, encode(getattr(session, request)(*arguments))
        except (Exception, SystemExit) as error:
            succeeded, body = False, _said(error).encode(errors="backslashreplace")
        if os.getpid() != served:  # code that is not ours has forked: the other one answers
            os._exit(0)
        if _identity(channel.fileno()) != identity:  # or has closed what it did not open: a file may be there now
            print("the socket of its answers was closed", file=sys.stderr, flush=True)
            os._exit(1)
        for part in answer(asked, succeeded, body):
            channel.sendall(part)


def _said(error: BaseException) -> str:
    try:
        return first_line(error)
    except Exception:  # its own text raises
        return type(error).__name__


def _moved(descriptor: int) -> int:
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH)
    except OSError:  # a system that allows fewer
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, descriptor)
    os.close(descriptor)
    return moved


def _identity(descriptor: int) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        stat = os.fstat(descriptor)
        return stat.st_dev, stat.st_ino
    return None
