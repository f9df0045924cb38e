"""The PyTorch backend: what `common.protocols.Backend` asks for."""

from pathlib import Path

import torch

from common.config import VARIANTS, form_on
from common.names import known
from common.spec import BlockSpec, differences
from common.spec.params import Arrays
from frameworks.torch.built import Built, Tuned, made
from frameworks.torch.tuned import FORMS

NAME = "torch"
DIFFERENCES = differences.load(Path(__file__).parent)
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}


def environment() -> dict[str, str]:
    """Version, threads and the flags that bear on float32 results."""
    return {
        "torch": str(torch.__version__),
        "threads": str(torch.get_num_threads()),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "float32 matmul precision": torch.get_float32_matmul_precision(),
        "cuDNN TF32": str(torch.backends.cudnn.allow_tf32),
    }


def devices() -> tuple[str, ...]:
    """Accelerators (CUDA or ROCm, XPU, Apple's MPS, an NPU), then the CPU. Only the CPU was ever run."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return (accelerator.type, "cpu") if accelerator else ("cpu",)


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
    module = made(spec, known("variant", variant, VARIANTS), strict).to(device, DTYPES[dtype]).eval()
    about = spec, module, DTYPES[dtype], device
    built = Tuned(*about, form_on(device, FORMS, NAME)) if variant == "tuned" else Built(*about)
    built.load(params)
    return built
