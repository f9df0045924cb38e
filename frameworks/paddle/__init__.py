"""The PaddlePaddle backend: what `common.protocols.Backend` asks for."""

import os
from pathlib import Path

import paddle

from common.config import VARIANTS, form_on
from common.names import known
from common.spec import BlockSpec, differences
from common.spec.params import Arrays
from frameworks.paddle.built import Built, Tuned, made
from frameworks.paddle.tuned import FORMS

NAME = "paddle"
DIFFERENCES = differences.load(Path(__file__).parent)
# The CPU has no kernels for bfloat16: Paddle says so when the block is first called.
DTYPES = {"bfloat16": paddle.bfloat16, "float32": paddle.float32, "float64": paddle.float64}


def environment() -> dict[str, str]:
    """Version, threads and the flags that bear on float32 results.

    Importing Paddle sets ``OMP_NUM_THREADS`` to 1 unless it was set before; only then is there more than one thread.
    """
    core = paddle.base.core  # the flags have no public name
    return {
        "paddle": paddle.__version__,  # pyright: ignore[reportPrivateImportUsage] - the usual name
        "threads": os.environ["OMP_NUM_THREADS"],
        "oneDNN": str(paddle.get_flags("FLAGS_use_onednn")["FLAGS_use_onednn"]),
        "cuBLAS TF32": str(core.get_cublas_switch()),
        "cuDNN TF32": str(core.get_cudnn_switch()),
    }


def devices() -> tuple[str, ...]:
    """Accelerators (CUDA or ROCm, XPU, a plug-in's own such as an NPU), then the CPU. Only the CPU was ever run."""
    counts = {"gpu": paddle.device.cuda.device_count(), "xpu": paddle.device.xpu.device_count()}
    built_in = [name for name, count in counts.items() if count]
    custom = [name.split(":")[0] for name in paddle.device.get_available_custom_device() or ()]
    return tuple(dict.fromkeys([*built_in, *custom, "cpu"]))


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
    device = known("device", device or devices()[0], devices())
    # Paddle departs from the spec only by numbers that its kernels take as float32, which in float32 is no departure.
    exact = strict and dtype == "float64" and variant != "ready-made"
    # Kernels run where their inputs lie, so the process's current device is left alone.
    layer = made(spec, known("variant", variant, VARIANTS), exact).to(device=device, dtype=DTYPES[dtype])
    layer.eval()
    about, form = (spec, layer, DTYPES[dtype], device, exact), variant == "tuned" and form_on(device, FORMS, NAME)
    built = Tuned(*about, form) if form and dtype == "float32" else Built(*about)  # oneDNN has no other
    built.load(params)
    return built
