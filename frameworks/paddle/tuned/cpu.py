"""A layer in the fastest form that was found for Paddle on a CPU: Paddle Inference, whose kernels are oneDNN's."""

import copy
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import paddle
from paddle import inference, nn
from paddle.nn.initializer import Constant
from paddle.static import InputSpec


def predictor(layer: nn.Layer, shape: Sequence[int]) -> Callable[[paddle.Tensor], paddle.Tensor]:
    """The layer in evaluation mode, as it is now, compiled for float32 inputs ``[n, c, h, w]`` of one shape on the CPU.

    What it returns gives an output for a tensor; the next call may write over it, so ``clone()`` what is to be kept.
    It uses OMP_NUM_THREADS threads, holds copies of the weights, and is not to be called by two threads at once. A norm
    is folded into the convolution before it by Paddle itself: fold none by hand. Large maps want an allocator that
    keeps its memory (see `common.processes.settings.KEEPING`).

    Eager Paddle and ``paddle.jit.to_static`` never call oneDNN. Two defects are worked around, which end the process:
    docs/upstream/paddle_inference_*.py.

    Source: https://paddlepaddle.org.cn/inference/master/api_reference/python_api_index.html
    """
    layer = _with_affine_norms(layer)
    layer.eval()
    with tempfile.TemporaryDirectory() as folder:
        paddle.jit.save(layer, f"{folder}/layer", input_spec=[InputSpec(shape, "float32")])
        model = Path(folder, "layer.json")
        config = inference.Config(str(model), str(model.with_suffix(".pdiparams")))
        config.disable_glog_info()
        config.enable_onednn()
        config.set_cpu_math_library_num_threads(int(os.environ["OMP_NUM_THREADS"]))  # there once Paddle is imported
        if '.leaky_relu"' in model.read_text("utf-8"):
            config.delete_pass("conv_activation_onednn_fuse_pass")
        engine = inference.create_predictor(config)
    return lambda x: engine.run([x.contiguous()])[0]  # it takes no notice of strides


def _with_affine_norms(layer: nn.Layer) -> nn.Layer:
    """A copy whose norms have a scale and a shift."""
    layer = copy.deepcopy(layer)
    for norm in layer.sublayers(include_self=True):
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            if isinstance(norm, nn.BatchNorm2D) and getattr(norm, name) is None:
                setattr(norm, name, norm.create_parameter([norm._num_features], default_initializer=Constant(value)))
    return layer
