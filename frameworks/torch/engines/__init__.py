"""What runs an exported PyTorch block in PyTorch's place: each is a `common.protocols.InferenceBackend`."""

import io
import os
import sys
import warnings
from collections.abc import Callable

import numpy as np
import torch

from common.config import FORMS, LAYOUTS
from common.names import known
from common.protocols import Timed
from common.spec import BlockSpec
from common.spec.params import Arrays
from frameworks.torch import build as build_block
from frameworks.torch.built import Built as Block

# Before an engine is imported. ONNX Runtime would report its sessions from a thread of its own, and keep an identifier
# in the user's cache; OpenVINO would report its import (openvino#23832), for which it needs a package that it can miss.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

# From an input, which is copied: the call, and its last output.
Bind = Callable[[np.ndarray], tuple[Callable[[], None], Callable[[], np.ndarray]]]


def threads() -> int | None:
    """The number that a worker is given (see `common.processes.settings.settings`), which no engine reads by itself."""
    return int(os.environ.get("OMP_NUM_THREADS") or 0) or None


def exported(module: torch.nn.Module, x: torch.Tensor) -> bytes:
    """The module in evaluation mode as an ONNX model for inputs of the shape of ``x``.

    By the older of torch's two exporters: the other needs onnxscript too, and takes longer.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        # The annotation is the newer exporter's.
        torch.onnx.export(module.eval(), (x,), file, dynamo=False)  # type: ignore[arg-type]
    return file.getvalue()


class Built:
    """A PyTorch block, exported and compiled for each shape of input that it meets: an `Inference`, to be timed."""

    def __init__(self, name: str, block: Block, spec: BlockSpec, compiled: Callable[[bytes], Bind]) -> None:
        self._name = name
        self._block = block
        self._spec = spec
        self._compile = compiled
        self._compiled: dict[tuple[int, ...], Bind] = {}
        self.device = block.device
        self.native = block.native  # an engine's own object belongs to one shape of input
        self.params = block.params
        self.trainable = block.trainable

    def load(self, params: Arrays) -> None:
        self._block.load(params)
        self._compiled.clear()

    def _bound(self, x: np.ndarray) -> tuple[Callable[[], None], Callable[[], np.ndarray]]:
        self._spec.taken(x=x)
        x = np.ascontiguousarray(x, np.float32)
        if x.shape not in self._compiled:
            self._compiled[x.shape] = self._compile(exported(self.native, torch.from_numpy(x)))
        return self._compiled[x.shape](x)

    def forward(self, x: np.ndarray) -> np.ndarray:
        call, output = self._bound(x)
        call()
        return output()

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        known(f"mode of {self._name}", mode, ["forward"])
        known(f"form of {self._name}", form, [choice for choice in FORMS if choice != "eager"])
        known(f"layout of {self._name}", layout, [choice for choice in LAYOUTS if choice != "nhwc"])
        call, output = self._bound(x)
        return Timed(call, lambda: {"output": output()})


def build(
    name: str,
    compiled: Callable[[bytes], Bind],
    spec: BlockSpec,
    params: Arrays,
    *,
    dtype: str = "float32",
    device: str | None = None,
    strict: bool = False,
    variant: str = "reference",
) -> Built:
    """See `common.protocols.InferenceBackend.build`; an engine adds its ``name`` and how a model is ``compiled``."""
    known(f"dtype of {name}", dtype, ["float32"])
    block = build_block(spec, params, device=known("device", device or "cpu", ["cpu"]), strict=strict, variant=variant)
    return Built(name, block, spec, compiled)
