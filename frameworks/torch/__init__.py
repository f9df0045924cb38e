"""The PyTorch backend."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from common.catalogue import known
from common.params import Arrays
from common.spec import BlockSpec
from frameworks.torch import layout
from frameworks.torch.blocks import BLOCKS

NAME = "torch"
DTYPES = {"float32": torch.float32, "float64": torch.float64}


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


class Built:
    """A block as an ``nn.Module`` in evaluation mode."""

    def __init__(self, module: nn.Module, dtype: torch.dtype, device: str) -> None:
        self.native = module
        self.dtype = dtype
        self.device = device

    def _tensor(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.device, self.dtype)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.native.eval()
        with torch.inference_mode():
            return self.native(self._tensor(x)).cpu().numpy()

    def params(self) -> Arrays:
        return layout.read(self.native)

    def trainable(self) -> frozenset[str]:
        return frozenset(name for name, value in self.native.named_parameters() if value.requires_grad)

    def runner(self, x: np.ndarray) -> Callable[[], None]:
        module, tensor = self.native.eval(), self._tensor(x)
        synchronize = torch.accelerator.synchronize if self.device != "cpu" else lambda: None

        @torch.inference_mode()
        def run() -> None:
            module(tensor)
            synchronize()

        return run


def build(spec: BlockSpec, params: Arrays, *, dtype: str = "float32", device: str | None = None) -> Built:
    """See `common.protocols.Backend.build`."""
    known("dtype", dtype, DTYPES)
    device = known("device", device or devices()[0], devices())
    module = BLOCKS[spec.family](**spec.arguments).to(device, DTYPES[dtype]).eval()
    layout.write(module, params)
    return Built(module, DTYPES[dtype], device)
