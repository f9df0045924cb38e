"""Ending a process together with the processes that it has started."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

PATIENCE = 10.0  # seconds for a killed process to go: one that waits for a driver or a network disk may not


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills a leader of a session, the rest of its session, and its descendants in other sessions."""
    alive = {process.pid} if process.poll() is None else set()
    family = set(alive)
    while new := _members(process.pid, family) | alive:  # stopped at first, so that none starts another meanwhile
        _send(new, signal.SIGSTOP)
        family |= new
        alive = set()
    _send(family, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _members(session: int, family: set[int]) -> set[int]:
    """The processes of the session and the children of ``family`` that are not in it; none where there is no /proc."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            state, parent, _, of = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if state not in "ZX" and (int(of) == session or int(parent) in family):
                found.add(int(stat.parent.name))
    return found - family
