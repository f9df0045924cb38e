"""The machine and the checkout that a run's numbers belong to."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

ALLOCATOR = (
    "MALLOC_ARENA_MAX",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "GLIBC_TUNABLES",
    "LD_PRELOAD",
)


WRITTEN = ("REPORT.md", "results.json", "selftest.json", "training.json", "training.svg", "facts.json")
# What a run writes is no change of the code.
SOURCES = (".", ":!docs", *(f":!report/{name}" for name in WRITTEN))


def processors() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def _commit() -> str:
    def git(*arguments: str) -> str:
        root = Path(__file__).parents[2]
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = " with local changes" if git("status", "--porcelain", "--", *SOURCES) else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def environment(threads: int) -> dict[str, str]:
    """What a number depends on beside the code: machine, threads, versions, allocator settings, date and commit."""
    allocator = [f"{name}={os.environ[name]}" for name in ALLOCATOR if name in os.environ]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu(),
        "processors": str(processors()),
        "threads a framework": str(threads),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "allocator": " ".join(allocator) or "the system's default",
    }
