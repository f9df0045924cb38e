"""The Flax (nnx) backend: what `common.protocols.Backend` asks for."""

import os
from pathlib import Path

import flax
import jax
import jaxlib.version
from jax.sharding import SingleDeviceSharding

from common.config import VARIANTS, form_on
from common.names import known
from common.processes.machine import processors
from common.spec import BlockSpec, differences
from common.spec.params import Arrays, fits
from frameworks.flax.built import Built, filled, made
from frameworks.flax.tuned import FORMS

NAME = "flax"
DIFFERENCES = differences.load(Path(__file__).parent)
DTYPES = ("bfloat16", "float32", "float64")


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


def build(
    spec: BlockSpec,
    params: Arrays,
    *,
    dtype: str = "float32",
    device: str | None = None,
    strict: bool = False,
    variant: str = "reference",
) -> Built:
    """See `common.protocols.InferenceBackend.build`."""
    known("dtype", dtype, DTYPES)
    if dtype == "float64" and not jax.config.values["jax_enable_x64"]:
        raise ValueError("dtype `float64` is float32 in JAX unless 64-bit types are on: set JAX_ENABLE_X64=1")
    device = known("device", device or devices()[0], devices())
    place = SingleDeviceSharding(jax.devices(device)[0])
    module = made(spec, known("variant", variant, VARIANTS), strict)
    if variant == "tuned":
        module = form_on(device, FORMS, NAME, jax.default_backend())(module)
    return Built(spec, filled(module, fits(spec, params), dtype, place), dtype, place)
