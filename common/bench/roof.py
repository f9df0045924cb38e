"""The best that the machine does: a matrix product and copies, timed in a separate process, with NumPy alone."""

import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from common.processes.machine import sample
from common.processes.serve import serve
from common.results.measurements import Peaks
from common.results.record import CaseCost

SIZE = 2048  # of the square matrices: far more arithmetic than traffic
COPIES = tuple(2**power for power in range(18, 29, 2))  # bytes read and written, from caches to main memory
SECONDS = 0.15  # of each copy


def _best(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def flops() -> float:
    """FLOP/s of a float32 matrix product, the best of several."""
    a = np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32)
    out = np.empty_like(a)
    return 2 * SIZE**3 / _best(lambda: np.matmul(a, a, out=out), 8)


def copied(size: int, threads: int) -> float:
    """Bytes a second, read and written together, when each thread copies its share of ``size / 2`` bytes."""
    share = size // (2 * threads)
    ready = threading.Barrier(threads)
    rates = []

    def work() -> None:
        source, target = np.ones(share, np.uint8), np.zeros(share, np.uint8)
        np.copyto(target, source)  # now its pages are in memory
        ready.wait()
        calls, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < SECONDS:
            np.copyto(target, source)
            calls += 1
        rates.append(2 * share * calls / elapsed)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(rates)


def spun() -> float:
    """The measured seconds of a call that spins for a millisecond: the excess is the cost of measuring."""

    def spin() -> None:
        end = time.perf_counter() + 1e-3
        while time.perf_counter() < end:
            pass

    return float(np.median([sample(spin, 3, 30)[0] for _ in range(11)]))


class Session:
    """The questions that the process answers."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def peaks(self) -> Peaks:
        return Peaks(flops(), [(size, copied(size, self._threads)) for size in COPIES], spun())


def work(cost: CaseCost, mode: str) -> tuple[int, int]:
    """The fewest FLOPs of a mode (in convolutions and linear layers), and the fewest bytes that it must move.

    Bytes are the input, the weights and the output, each once, as if everything between were fused; training moves
    their gradients as well. This is a bound, not an estimate.
    """
    least = cost.input_bytes + cost.weight_bytes + cost.output_bytes
    match mode:
        case "forward":
            return cost.flops, least
        case "gradients":
            return 3 * cost.flops, 2 * least
        case _:
            return 3 * cost.flops - 2 * cost.input_macs, 2 * least


def bound(cost: CaseCost, mode: str, peaks: Peaks) -> float:
    """Seconds that no direct convolution can beat, a roofline: Williams et al., 2009, doi:10.1145/1498765.1498785.

    Winograd's algorithm and similar ones do fewer multiplications, and can be faster.
    """
    arithmetic, traffic = work(cost, mode)
    return max(arithmetic / peaks.flops, traffic / peaks.bandwidth(traffic))


if __name__ == "__main__":
    serve(lambda: Session(int(sys.argv[3])), *sys.argv[2:])
