"""Ending a process together with the processes that it has started."""

import contextlib
import os
import select
import signal
import subprocess
from pathlib import Path

PATIENCE = 10.0  # seconds for a killed process to go: one that waits for a driver or a network disk may not
MARK = "CONVPARITY_WORKER"  # an environment variable of a worker, by which those are known that left its session


def end(process: subprocess.Popen[bytes], mark: str) -> None:
    """Kills a leader of a session, the rest of its session, its descendants, and all whose `MARK` is ``mark``."""
    _end(process.pid, {process.pid} if process.poll() is None else set(), mark)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)


def guard() -> None:
    """Leaves a process that waits for the death of this one, a worker, and then ends what this one has started.

    A parent that is killed cannot do so. It is no child of the worker, whose code may wait for its own children.
    """
    if not hasattr(os, "pidfd_open"):  # not Linux
        return
    worker = os.getpid()
    try:
        death = os.pidfd_open(worker)
    except OSError:  # an old kernel
        return
    if child := os.fork():
        os.waitpid(child, 0)
        os.close(death)
        return
    try:  # whatever happens in it, this process must not go on as a second worker
        if os.fork():
            return
        os.dup2(death, 0)
        os.closerange(1, 2**16)  # the socket above all, which must be the worker's alone
        poller = select.poll()
        poller.register(0, select.POLLIN)
        poller.poll()
        _end(worker, set(), os.environ.get(MARK, ""))
    finally:
        os._exit(0)


def _end(session: int, alive: set[int], mark: str) -> None:
    family = set(alive)
    while new := members(session, family, mark) | alive:  # stopped at first, so that none starts another meanwhile
        _send(new, signal.SIGSTOP)
        family |= new
        alive = set()
    _send(family, signal.SIGKILL)


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def members(session: int, family: set[int], mark: str = "") -> set[int]:
    """Processes, this one apart, that are not in ``family`` but of the session, of the mark, or children of a member.

    None where there is no /proc.
    """
    found, marked = set(), f"\0{MARK}={mark}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            state, parent, _, of = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
            if state not in "ZX" and (
                int(of) == session
                or int(parent) in family
                or (mark and marked in b"\0" + (folder / "environ").read_bytes())
            ):
                found.add(int(folder.name))
    return found - family - {os.getpid()}
