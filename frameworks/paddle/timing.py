"""The calls that are timed: see `common.protocols.Timed`."""

from collections.abc import Callable, Sequence

import numpy as np
import paddle
from paddle import nn

from common.oracle.optimisers import SGD
from common.protocols import Timed
from common.spec import INPUT
from common.spec.params import Arrays
from frameworks.paddle import layout as arrays
from frameworks.paddle import optimisers

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
Run = Callable[[paddle.Tensor], paddle.Tensor]
Compiler = Callable[[nn.Layer, Sequence[int]], Run]


class NhwcBlock(nn.Layer):
    """An NCHW block that takes and returns ``[n, h, w, c]``."""

    def __init__(self, block: nn.Layer) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.block(x.transpose(TO_NCHW))
        return y.transpose(TO_NHWC) if y.ndim == 4 else y


def _prepared(layer: nn.Layer, form: str | Compiler, layout: str, shape: Sequence[int]) -> Run:
    layer = NhwcBlock(layer) if layout == "nhwc" else layer
    if callable(form):
        return form(layer, shape)
    if form == "compiled":
        return paddle.jit.to_static(layer)
    return lambda x: layer(x).contiguous()  # an eager transpose is a view: its reader would do the work


def _placed(tensor: paddle.Tensor, layout: str) -> paddle.Tensor:
    return tensor.transpose(TO_NHWC).contiguous() if layout == "nhwc" and tensor.ndim == 4 else tensor


def _canonical(tensor: paddle.Tensor, layout: str) -> np.ndarray:
    array = (tensor.astype("float32") if tensor.dtype == paddle.bfloat16 else tensor).numpy()
    return array.transpose(TO_NCHW) if layout == "nhwc" and array.ndim == 4 else array


def _synchronize(tensor: paddle.Tensor) -> Callable[[], None]:
    # On the CPU a call returns when its result is computed, and `synchronize` refuses the CPU.
    return paddle.device.synchronize if not tensor.place.is_cpu_place() else lambda: None


def _allocated(call: Callable[[], None], x: paddle.Tensor) -> int | None:
    """Peak bytes that an accelerator's allocator gives out in a call; None on the CPU. Not run so far."""
    if x.place.is_cpu_place():
        return None
    paddle.device.reset_max_memory_allocated()
    before = paddle.device.memory_allocated()
    call()
    return paddle.device.max_memory_allocated() - before


def forward(layer: nn.Layer, x: paddle.Tensor, form: str | Compiler, layout: str) -> Timed:
    """The output in evaluation mode; ``form`` is one of `common.config.FORMS`, or a `Compiler`."""
    layer.eval()
    x, synchronize = _placed(x, layout), _synchronize(x)
    run = _prepared(layer, form, layout, x.shape)
    kept: dict[str, paddle.Tensor] = {}

    @paddle.no_grad()
    def call() -> None:
        kept["output"] = run(x)
        synchronize()

    result: Callable[[], Arrays] = lambda: {"output": _canonical(kept["output"], layout)}  # noqa: E731
    return Timed(call, result, kept.clear, lambda: _allocated(call, x))


def training(
    layer: nn.Layer, mode: str, x: paddle.Tensor, dy: paddle.Tensor, form: str, layout: str, exact: bool
) -> Timed:
    """Forward and backward, or a whole step."""
    layer.train()
    x, dy, synchronize, initial = _placed(x, layout), _placed(dy, layout), _synchronize(x), arrays.read(layer)
    run = _prepared(layer, form, layout, x.shape)
    steps = optimisers.native(SGD(), layer.parameters(), exact)
    kept: dict[str, paddle.Tensor] = {}

    def gradients() -> None:
        layer.clear_gradients()
        leaf = x.detach()
        leaf.stop_gradient = False
        kept["output"] = y = run(leaf)
        y.backward(dy)
        assert leaf.grad is not None
        kept[INPUT] = leaf.grad.contiguous()
        synchronize()

    def step() -> None:
        layer.clear_gradients()
        run(x).backward(dy)
        steps.step()
        synchronize()

    def result() -> Arrays:
        if mode == "step":
            return {name: array for name, array in arrays.read(layer).items() if name in arrays.trainable(layer)}
        return {name: _canonical(value, layout) for name, value in kept.items()} | arrays.gradients(layer)

    def restore() -> None:
        nonlocal steps
        kept.clear()
        layer.clear_gradients()
        steps = optimisers.native(SGD(), layer.parameters(), exact)
        arrays.write(layer, initial)

    call = gradients if mode == "gradients" else step
    return Timed(call, result, restore, lambda: _allocated(call, x))
