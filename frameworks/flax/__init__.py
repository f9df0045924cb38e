"""The Flax (nnx) backend."""

import os
from collections.abc import Callable

import flax
import jax
import jaxlib.version
import numpy as np
from flax import nnx
from jax.sharding import Sharding, SingleDeviceSharding

from common.bench.machine import processors
from common.catalogue import known
from common.params import Arrays
from common.spec import BlockSpec
from frameworks.flax import layout
from frameworks.flax.blocks import BLOCKS

NAME = "flax"
DTYPES = ("float32", "float64")


def _cpu_count() -> str:
    """The size XLA gives its CPU thread pool: PJRT_NPROC or NPROC if set, else the processors we may run on."""
    return os.environ.get("PJRT_NPROC") or os.environ.get("NPROC") or str(processors())


def environment() -> dict[str, str]:
    """Versions, device, threads and the flags that bear on float32 results."""
    return {
        "flax": flax.__version__,
        "jax": jax.__version__,
        "jaxlib": jaxlib.version.__version__,
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "threads": _cpu_count(),
        "x64": str(jax.config.values["jax_enable_x64"]),
        "default matmul precision": str(jax.config.values["jax_default_matmul_precision"]),
    }


def devices() -> tuple[str, ...]:
    """Accelerators by JAX's platform name (``gpu``, ``tpu``), then the CPU. Only the CPU was ever run."""
    return tuple(dict.fromkeys([*(device.platform for device in jax.devices()), "cpu"]))


class Built:
    """A block as an ``nnx.Module``, and its evaluation mode as one compiled function of state and input."""

    def __init__(self, module: nnx.Module, dtype: str, place: Sharding) -> None:
        self.native = module
        self.dtype = dtype
        self.place = place
        module.eval()
        # The structure, taken in evaluation mode, is constant: `forward` reads only the arrays of `native`, whatever
        # mode that is in later, and compiles once for an input shape.
        graphdef = nnx.graphdef(module)
        self._apply = jax.jit(lambda state, x: nnx.merge(graphdef, state)(x))

    def _input(self, x: np.ndarray) -> jax.Array:
        return jax.device_put(np.moveaxis(x, 1, -1).astype(self.dtype, order="C"), self.place)

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = self._apply(nnx.state(self.native), self._input(x))
        return np.moveaxis(np.asarray(y), -1, 1).copy()  # [n, h, w, c] to [n, c, h, w]; [n, classes] stays

    def params(self) -> Arrays:
        return layout.read(self.native)

    def trainable(self) -> frozenset[str]:
        return layout.names(self.native, nnx.Param)

    def runner(self, x: np.ndarray) -> Callable[[], None]:
        # The split happens here, once: `nnx.jit` would walk the module in Python at every call, milliseconds for a
        # deep block. This is the functional form that Flax's performance guide gives against that.
        apply, state, tensor = self._apply, nnx.state(self.native), self._input(x)

        def run() -> None:
            apply(state, tensor).block_until_ready()

        return run


def build(spec: BlockSpec, params: Arrays, *, dtype: str = "float32", device: str | None = None) -> Built:
    """See `common.protocols.Backend.build`."""
    known("dtype", dtype, DTYPES)
    if dtype == "float64" and not jax.config.values["jax_enable_x64"]:
        raise ValueError("dtype `float64` is float32 in JAX unless 64-bit types are on: set JAX_ENABLE_X64=1")
    place = SingleDeviceSharding(jax.devices(known("device", device or devices()[0], devices()))[0])
    # Shapes only: no initialiser runs, for every array is replaced.
    module = nnx.eval_shape(lambda: BLOCKS[spec.family](**spec.arguments, rngs=nnx.Rngs(params=0, dropout=0)))
    # Layers compute in the dtype of their arrays and input; `param_dtype` would leave BatchNorm's statistics float32.
    state = nnx.state(module, layout.ARRAYS)
    nnx.update(module, jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, dtype, sharding=place), state))
    layout.write(module, params)
    # The stream of random numbers is still a shape. Its name must be the one above: another is ignored silently.
    nnx.reseed(module, dropout=0)
    return Built(module, dtype, place)
