"""The PaddlePaddle backend."""

import os
from collections.abc import Callable

import numpy as np
import paddle
from paddle import nn

from common.catalogue import known
from common.params import Arrays
from common.spec import BlockSpec
from frameworks.paddle import layout
from frameworks.paddle.blocks import BLOCKS

NAME = "paddle"
DTYPES = {"float32": paddle.float32, "float64": paddle.float64}


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


class Built:
    """A block as an ``nn.Layer`` in evaluation mode."""

    def __init__(self, layer: nn.Layer, dtype: paddle.dtype, device: str) -> None:
        self.native = layer
        self.dtype = dtype
        self.device = device

    def _tensor(self, x: np.ndarray) -> paddle.Tensor:
        return paddle.to_tensor(x, dtype=self.dtype, place=self.device)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.native.eval()
        with paddle.no_grad():
            return self.native(self._tensor(x)).numpy()

    def params(self) -> Arrays:
        return layout.read(self.native)

    def trainable(self) -> frozenset[str]:
        return layout.trainable(self.native)

    def runner(self, x: np.ndarray) -> Callable[[], None]:
        layer, tensor, device = self.native, self._tensor(x), self.device
        layer.eval()
        # On the CPU a call returns when it is computed, and `synchronize` refuses the CPU.
        synchronize = (lambda: paddle.device.synchronize(device)) if device != "cpu" else lambda: None

        @paddle.no_grad()
        def run() -> None:
            layer(tensor)
            synchronize()

        return run


def build(spec: BlockSpec, params: Arrays, *, dtype: str = "float32", device: str | None = None) -> Built:
    """See `common.protocols.Backend.build`."""
    known("dtype", dtype, DTYPES)
    device = known("device", device or devices()[0], devices())
    # Kernels run where their inputs lie, so the process's current device is left alone.
    layer = BLOCKS[spec.family](**spec.arguments).to(device=device, dtype=DTYPES[dtype])
    layer.eval()
    layout.write(layer, params)
    return Built(layer, DTYPES[dtype], device)
