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
    keeps its memory (docs/fast/paddle.md).

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
    """A copy whose norms are Paddle's own, with a scale and a shift.

    A BatchNorm without them ends the process (docs/upstream). A group norm of elementary operations, which has the
    right gradient, is computed wrong by Paddle Inference with oneDNN; the stock one is right there.
    """
    holder = nn.Sequential(copy.deepcopy(layer))
    for parent in holder.sublayers(include_self=True):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.GroupNorm) and child.weight is None:
                setattr(parent, name, nn.GroupNorm(child._num_groups, child._num_channels, child._epsilon))
            if isinstance(child, nn.BatchNorm2D):
                for leaf, value in (("weight", 1.0), ("bias", 0.0)):
                    if getattr(child, leaf) is None:
                        size, constant = [child._num_features], Constant(value)
                        setattr(child, leaf, child.create_parameter(size, default_initializer=constant))
    return holder[0]
