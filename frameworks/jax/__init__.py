"""The JAX backend: what `common.protocols.Backend` asks for."""

import os
from pathlib import Path

import jax
import jaxlib.version
from jax.sharding import SingleDeviceSharding

from common.config import VARIANTS, form_on
from common.names import known
from common.processes.machine import processors
from common.spec import BlockSpec, differences
from common.spec.params import Arrays, fits
from frameworks.jax import layout
from frameworks.jax.built import Built, Native, as_it_is, made
from frameworks.jax.tuned import FORMS

NAME = "jax"
DIFFERENCES = differences.load(Path(__file__).parent)
DTYPES = ("bfloat16", "float32", "float64")


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


def build(
    spec: BlockSpec,
    params: Arrays,
    *,
    dtype: str = "float32",
    device: str | None = None,
    strict: bool = False,
    variant: str = "reference",
) -> Built:
    """See `common.protocols.InferenceBackend.build`; ``strict`` changes nothing: they follow the spec."""
    known("dtype", dtype, DTYPES)
    if known("variant", variant, VARIANTS) == "ready-made":
        raise ValueError(f"jax has no ready-made `{spec.family}`: it has functions of arrays, and no layers")
    if dtype == "float64" and not jax.config.values["jax_enable_x64"]:
        raise ValueError("dtype `float64` is float32 in JAX unless 64-bit types are on: set JAX_ENABLE_X64=1")
    device = known("device", device or devices()[0], devices())
    form = form_on(device, FORMS, NAME, jax.default_backend()) if variant == "tuned" else as_it_is
    place = SingleDeviceSharding(jax.devices(device)[0])
    native = Native(made(spec), *layout.write(fits(spec, params), dtype, place))
    return Built(spec, native, dtype, place, form)
