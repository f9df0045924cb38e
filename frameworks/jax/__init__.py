"""The JAX backend: plain functions over pytrees."""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jaxlib.version
import numpy as np
from jax.sharding import Sharding, SingleDeviceSharding

from common.bench.machine import processors
from common.catalogue import known
from common.params import Arrays
from common.spec import BlockSpec
from frameworks.jax import layout
from frameworks.jax.blocks import BLOCKS

NAME = "jax"
DTYPES = ("float32", "float64")


def environment() -> dict[str, str]:
    """Versions, threads and the flags that bear on float32 results."""
    return {
        "jax": jax.__version__,
        "jaxlib": jaxlib.version.__version__,
        "threads": os.environ.get("NPROC", str(processors())),
        "device": jax.devices()[0].device_kind,
        "x64": str(jax.config.values["jax_enable_x64"]),
        "default matmul precision": str(jax.config.values["jax_default_matmul_precision"]),
    }


def devices() -> tuple[str, ...]:
    """Platforms (gpu for CUDA and ROCm, tpu, METAL), the default first, then the CPU. Only the CPU was ever run."""
    return tuple(dict.fromkeys([*(device.platform for device in jax.devices()), "cpu"]))


class Native(NamedTuple):
    """``y, new_stats = apply(params, stats, x, train=False)``, with x NHWC; ``params`` is what is differentiated."""

    apply: Callable[..., tuple[jax.Array, Any]]
    params: Any
    stats: Any


class Built:
    """A block as a pure function and its two pytrees."""

    def __init__(self, native: Native, dtype: str, place: Sharding) -> None:
        self.native = native
        self.dtype = dtype
        self.place = place
        self._compiled = jax.jit(native.apply)

    def _array(self, x: np.ndarray) -> jax.Array:
        return jax.device_put(np.moveaxis(x, 1, -1).astype(self.dtype, order="C"), self.place)

    def forward(self, x: np.ndarray) -> np.ndarray:
        y, _ = self._compiled(self.native.params, self.native.stats, self._array(x))
        return np.moveaxis(np.asarray(y), -1, 1).copy()  # [n, h, w, c] to [n, c, h, w]; [n, classes] stays

    def params(self) -> Arrays:
        return dict([*layout.leaves(self.native.params), *layout.leaves(self.native.stats)])

    def trainable(self) -> frozenset[str]:
        return frozenset(name for name, _ in layout.leaves(self.native.params))

    def runner(self, x: np.ndarray) -> Callable[[], None]:
        array, (_, params, stats) = self._array(x), self.native

        def run() -> None:
            y, _ = self._compiled(params, stats, array)
            y.block_until_ready()

        return run


def build(spec: BlockSpec, params: Arrays, *, dtype: str = "float32", device: str | None = None) -> Built:
    """See `common.protocols.Backend.build`."""
    known("dtype", dtype, DTYPES)
    if dtype == "float64" and not jax.config.values["jax_enable_x64"]:
        raise ValueError("JAX computes in float64 only if JAX_ENABLE_X64=1 is set before it is imported")
    place = SingleDeviceSharding(jax.devices(known("device", device or devices()[0], devices()))[0])
    function = BLOCKS[spec.family]
    # What the arrays' shapes already say (channels, bias, depth, ...) is no argument of a plain function.
    taken = inspect.signature(function).parameters
    apply = functools.partial(function, **{name: value for name, value in spec.arguments.items() if name in taken})
    return Built(Native(apply, *layout.write(spec, params, dtype, place)), dtype, place)
