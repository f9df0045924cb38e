"""ONNX Runtime, on the CPU. It has no float64 convolution there."""

import functools
from collections.abc import Callable

import numpy as np
import onnxruntime as ort

from common.spec.differences import Difference
from frameworks.torch import engines

NAME = "onnxruntime"
DIFFERENCES: tuple[Difference, ...] = ()
PROVIDERS = ["CPUExecutionProvider"]


def environment() -> dict[str, str]:
    """Version, threads and what runs the operators."""
    return {
        "onnxruntime": ort.__version__,
        "threads": str(engines.threads() or "one a core"),
        "providers": ", ".join(PROVIDERS),
    }


def devices() -> tuple[str, ...]:
    """The CPU."""
    return ("cpu",)


def _compiled(model: bytes) -> engines.Bind:
    options = ort.SessionOptions()
    options.intra_op_num_threads = engines.threads() or 0
    session = ort.InferenceSession(model, options, providers=PROVIDERS)
    (given,), (wanted,) = session.get_inputs(), session.get_outputs()

    def bind(x: np.ndarray) -> tuple[Callable[[], None], Callable[[], np.ndarray]]:
        binding, y = session.io_binding(), ort.OrtValue.ortvalue_from_shape_and_type(wanted.shape, np.float32)
        binding.bind_ortvalue_input(given.name, ort.OrtValue.ortvalue_from_numpy(x))
        binding.bind_ortvalue_output(wanted.name, y)
        return lambda: session.run_with_iobinding(binding), lambda: y.numpy().copy()

    return bind


build = functools.partial(engines.build, NAME, _compiled)
