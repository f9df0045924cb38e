"""OpenVINO, on the CPU. It computes float64 models in float32 there."""

import functools
from collections.abc import Callable

import numpy as np
import openvino as ov

from common.spec.differences import Difference
from frameworks.torch import engines

NAME = "openvino"
DIFFERENCES: tuple[Difference, ...] = ()
CORE = ov.Core()


def environment() -> dict[str, str]:
    """Version, threads and device."""
    return {
        "openvino": ov.__version__,
        "threads": str(engines.threads() or "its own choice"),
        "device": CORE.get_property("CPU", "FULL_DEVICE_NAME").strip(),
    }


def devices() -> tuple[str, ...]:
    """The CPU."""
    return ("cpu",)


def _compiled(model: bytes) -> engines.Bind:
    config = {"INFERENCE_PRECISION_HINT": "f32"}  # its default is bfloat16 where the processor has that
    if threads := engines.threads():
        config["INFERENCE_NUM_THREADS"] = str(threads)
    network = CORE.compile_model(CORE.read_model(model, b""), "CPU", config)

    def bind(x: np.ndarray) -> tuple[Callable[[], None], Callable[[], np.ndarray]]:
        request = network.create_infer_request()
        request.set_input_tensor(ov.Tensor(x))

        def call() -> None:
            request.infer(share_outputs=True)  # not copied to NumPy

        return call, lambda: request.get_output_tensor().data.copy()

    return bind


build = functools.partial(engines.build, NAME, _compiled)
