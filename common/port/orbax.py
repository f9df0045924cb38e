"""Orbax's directories, read in a process of its own: a few bytes of one can abort the process or fill the memory.

That process alone imports Orbax, and JAX with it.
"""

import atexit
import functools
import math
import sys
from pathlib import Path

import numpy as np

from common.layers.values import Shape
from common.port.weights import PortError, as_arrays, flat, unwrapped, within
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.processes.serve import serve
from common.spec.params import Arrays, shell

SECONDS = 120.0
PROGRAM = 4 * 2**30  # bytes of address space for the interpreter, JAX and Orbax, which take 1.6


@functools.cache
def _worker() -> Worker:
    """The process, which is kept: to start it takes seconds."""
    worker = Worker("orbax", "orbax", machine.processors(), SECONDS, x64=True, entry="common.port.orbax")
    atexit.register(worker.stop)
    return worker


def read(path: Path, most: int, numbers: bool = True) -> tuple[Arrays, list[str]]:
    """The leaves by dotted path, and sentences about what was left out; without ``numbers`` these are not read.

    Raises:
        PortError: if it holds other than arrays, or more of them than it may.
        WorkerFailed: if it is damaged, or takes more memory or time than it may.
    """
    try:
        if numbers:
            return _worker().ask("read", path.absolute(), most)
        described, notes = _worker().ask("described", path.absolute(), most)
        return {name: shell(*header) for name, header in described.items()}, notes
    except WorkerFailed as error:
        if error.died:
            _worker.cache_clear()  # a worker starts its process again, but not for ever
        if str(error).startswith("PortError: "):
            raise PortError(str(error).removeprefix("PortError: ")) from None
        raise


class Session:
    """The requests that the process answers."""

    def described(self, path: Path, most: int) -> tuple[dict[str, tuple[Shape, str]], list[str]]:
        """The shapes and dtypes of what `read` gives, by the metadata."""
        from orbax import checkpoint

        _limit(PROGRAM + 4 * most)
        with checkpoint.StandardCheckpointer() as orbax:
            if (metadata := orbax.metadata(path).item_metadata) is None:
                raise PortError("it has no metadata of Orbax")
        arrays = {name: leaf for name, leaf in flat(metadata.tree).items() if hasattr(leaf, "shape")}
        within(sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in arrays.values()), most)
        leaves, notes = unwrapped(arrays)
        return {name: (leaf.shape, np.dtype(leaf.dtype).name) for name, leaf in leaves.items()}, notes

    def read(self, path: Path, most: int) -> tuple[Arrays, list[str]]:
        from orbax import checkpoint

        self.described(path, most)
        with checkpoint.StandardCheckpointer() as orbax:
            leaves, notes = unwrapped(flat(orbax.restore(path)))
        return as_arrays(leaves), notes


def _limit(size: int) -> None:
    """Lets this process have no more than ``size`` bytes of address space, where the system has such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


if __name__ == "__main__":
    serve(Session, *sys.argv[2:])
