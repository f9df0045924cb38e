"""Environment variables that give a process its threads and its allocator."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")


# What makes glibc keep freed memory and give it out again, in huge pages, rather than ask the system at every call.
KEEPING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": str(2**28),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def settings(threads: int | None, x64: bool = False, allocator: str = "default") -> dict[str, str]:
    """Environment variables that give every framework the same number of CPU threads, set before its import.

    Paddle reads OMP_NUM_THREADS (and takes 1 if it is unset), torch OMP_NUM_THREADS, XLA the processors it may run on
    or NPROC; MKL and OpenBLAS have their own. Without ``threads`` none of them is set. ``x64`` lets JAX compute in
    float64, which it decides once a process. ``allocator`` ``tuned`` sets `KEEPING`.
    """
    found = dict.fromkeys(THREADS, str(threads)) if threads else {}
    return found | ({"JAX_ENABLE_X64": "1"} if x64 else {}) | (KEEPING if allocator == "tuned" else {})
