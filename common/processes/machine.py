"""The machine and the checkout that a run's numbers belong to."""

import contextlib
import ctypes
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.processes.others import Look, processors
from common.processes.settings import KEEPING

ALLOCATOR = (
    *KEEPING,
    "LD_PRELOAD",
)


def memory() -> int:
    """Bytes of memory that this process may use at most: the machine's, or fewer if a limit is set."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    limits += [size for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA) if (size := resource.getrlimit(kind)[0]) > 0]
    for group in ("memory.max", "memory/memory.limit_in_bytes"):  # of a container, in either version of cgroups
        with contextlib.suppress(OSError, ValueError):
            limits.append(int((Path("/sys/fs/cgroup") / group).read_text()))
    return min(limits)


def lacking(needed: int) -> str | None:
    """That so many bytes are more than there are, in words; None if they are not."""
    there = memory()
    return f"needs {needed / 1e9:,.1f} GB of memory, {there / 1e9:,.1f} GB are there" if needed > there else None


def stolen() -> float:
    """Seconds, summed over processors, in which the hypervisor ran someone else; 0 where the system does not say."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def clock() -> float:
    """Seconds of a fixed piece of work on one processor, the shortest of three: it is longer where that is slower."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        sum(range(5000))
        found.append(time.perf_counter() - start)
    return min(found)


class Sample(NamedTuple):
    """One turn of a process: see `common.results.measurements.Samples`."""

    seconds: float
    cpu_seconds: float
    stolen: float
    clock: float
    others: float | None
    waited: float | None
    pressure: float | None
    processors: int


def sample(call: Callable[[], object], warm: int, calls: int) -> Sample:
    """Times ``calls`` calls after ``warm`` that are not counted."""
    for _ in range(warm):
        call()
    before, taken, look = clock(), stolen(), Look()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    crowd, taken = look.since(), stolen() - taken
    shares = crowd.others, crowd.waited, crowd.pressure
    return Sample(wall / calls, cpu / calls, taken / wall, before, *shares, processors())


def peak_of(call: Callable[[], None]) -> int:
    """Bytes of resident memory that a call takes at its peak beyond what is held before it.

    Raises:
        ValueError: where the system does not tell.
    """
    with contextlib.suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)  # what earlier calls have left with the allocator would hide this one's
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is resident now
        before = _resident("VmRSS")
        call()
        return max(0, _resident("VmHWM") - before)
    except OSError:
        raise ValueError("this system does not tell a process's peak memory") from None


def _resident(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    identity = " ".join(f"{key} {named[key]}" for key in ("cpu family", "model", "stepping") if key in named)
    vectors = [
        flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if flag in named.get("flags", "").split()
    ]
    return f"{named.get('model name', platform.machine())} ({identity}; {', '.join(vectors)})"


def _commit(written: Sequence[str]) -> str:
    def git(*arguments: str) -> str:
        root = Path(__file__).parents[2]
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".", *(f":!{path}" for path in written))
        return git("rev-parse", "--short=12", "HEAD") + (" with local changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def environment(threads: int, written: Sequence[str] = ()) -> dict[str, str]:
    """What a number depends on beside the code: machine, threads, versions, allocator settings, date and commit.

    ``written`` is what runs write into the checkout, by paths from its root: that is no change of the code.
    """
    allocator = [f"{name}={os.environ[name]}" for name in ALLOCATOR if name in os.environ]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(written),
        "cpu": _cpu(),
        "processors": str(processors()),
        "threads a framework": str(threads),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "allocator": " ".join(allocator) or "the system's default",
    }
