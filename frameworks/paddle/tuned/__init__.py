"""A layer in the fastest form that was found for Paddle on a CPU: Paddle Inference, whose kernels are oneDNN's."""

import copy
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import paddle
from paddle import inference, nn
from paddle.nn.initializer import Constant
from paddle.pir_utils import DygraphOldIrGuard
from paddle.static import InputSpec


def predictor(layer: nn.Layer, shape: Sequence[int]) -> Callable[[paddle.Tensor], np.ndarray]:
    """The layer in evaluation mode, as it is now, compiled for float32 inputs ``[n, c, h, w]`` of one shape on the CPU.

    What it returns takes a tensor of that shape, which is copied only if it is a strided view, and gives the output as
    an array of its own. It uses OMP_NUM_THREADS threads, holds copies of the weights, and is not to be called by two
    threads at once. A norm is folded into the convolution before it by Paddle itself: fold none by hand.

    Eager Paddle and ``paddle.jit.to_static`` never call oneDNN. A model with LeakyReLU is exported as a program of the
    old kind: in the new one its fusion with a convolution ends the process, and unfused it is slow on large maps.
    See docs/upstream/paddle_inference_*.py.

    Source: https://paddlepaddle.org.cn/inference/master/api_reference/python_api_index.html
    """
    layer = _with_affine_norms(layer)
    layer.eval()
    with tempfile.TemporaryDirectory() as folder:
        model = _exported(layer, shape, Path(folder, "new"))
        if '.leaky_relu"' in model.read_text("utf-8"):
            with DygraphOldIrGuard():
                return _compiled(_exported(layer, shape, Path(folder, "old")))
        return _compiled(model)


def _with_affine_norms(layer: nn.Layer) -> nn.Layer:
    """A copy whose norms have a scale and a shift: without, Paddle Inference crashes or refuses the model."""
    layer = copy.deepcopy(layer)
    for norm in layer.sublayers(include_self=True):
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            if isinstance(norm, nn.BatchNorm2D) and getattr(norm, name) is None:
                setattr(norm, name, norm.create_parameter([norm._num_features], default_initializer=Constant(value)))
    return layer


def _exported(layer: nn.Layer, shape: Sequence[int], prefix: Path) -> Path:
    paddle.jit.save(layer, str(prefix), input_spec=[InputSpec(shape, "float32")])
    return next(path for suffix in (".json", ".pdmodel") if (path := prefix.with_suffix(suffix)).exists())


def _compiled(model: Path) -> Callable[[paddle.Tensor], np.ndarray]:
    config = inference.Config(str(model), str(model.with_suffix(".pdiparams")))
    config.disable_glog_info()
    config.enable_onednn()
    config.set_cpu_math_library_num_threads(int(os.environ["OMP_NUM_THREADS"]))  # there once Paddle is imported
    engine = inference.create_predictor(config)
    given = engine.get_input_handle(engine.get_input_names()[0])
    wanted = engine.get_output_handle(engine.get_output_names()[0])

    def run(x: paddle.Tensor) -> np.ndarray:
        given.share_external_data(x.contiguous())  # which takes no notice of strides
        engine.run()
        return wanted.copy_to_cpu()  # what `engine.run([x])` gives is, in the old kind, in oneDNN's own layout

    return run
