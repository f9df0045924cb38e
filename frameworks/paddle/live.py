"""Any ``nn.Layer`` as `common.port.live` runs it."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
from paddle import nn

from common.port.live import DROPOUT_OFF, Observed
from common.port.weights import PortError
from common.spec import INPUT
from common.spec.params import Arrays, Shapes
from frameworks.paddle import layout

DROPOUTS = (nn.Dropout, nn.Dropout2D, nn.Dropout3D, nn.AlphaDropout)


class Live:
    """A layer in float64 with dropout off.

    Its training is exact to float32 only (`frameworks.paddle.layers`): the gradient of average pooling multiplies by a
    reciprocal rounded to float32, and norms average their statistics with a momentum rounded to float32.
    """

    framework = "paddle"
    precision = 2.0**-24

    def __init__(self, native: nn.Layer, shape: tuple[int, ...], alone: bool) -> None:
        self._native = native
        self._layer = copy.deepcopy(native).to(device="cpu", dtype=paddle.float64)
        self.notes: list[str] = []
        for child in self._layer.sublayers():
            if isinstance(child, DROPOUTS) and child.p:
                child.p = 0.0
                self.notes = [DROPOUT_OFF]

    def shapes(self) -> Shapes:
        return {name: array.shape for name, array in layout.read(self._layer).items()}

    def arrays(self) -> Arrays:
        return layout.read(self._native)

    def native(self, arrays: Arrays) -> Arrays:
        return layout.to_native(arrays)

    def observe(self, arrays: Arrays, x: np.ndarray, dy: np.ndarray | None = None) -> Observed:
        layout.write(self._layer, arrays)
        layers: Arrays = {}
        holders = {name.rpartition(".")[0] for name in self.shapes()}

        def keep(name: str) -> Callable[[nn.Layer, Any, Any], Any]:
            def hook(layer: nn.Layer, inputs: Any, output: Any) -> None:
                if isinstance(output, paddle.Tensor):
                    layers[name] = output.numpy().copy()

            return hook

        sublayers = self._layer.named_sublayers(include_self=True)
        handles = [child.register_forward_post_hook(keep(name)) for name, child in sublayers if name in holders]
        tensor = paddle.to_tensor(x, place="cpu")
        tensor.stop_gradient = dy is None
        (self._layer.eval if dy is None else self._layer.train)()
        try:
            output = self._layer(tensor)
        finally:
            for handle in handles:
                handle.remove()
        if not isinstance(output, paddle.Tensor):
            raise PortError(f"the layer returns {type(output).__name__}, not one tensor")
        gradients: Arrays = {}
        if dy is not None:
            self._layer.clear_gradients()
            output.backward(paddle.to_tensor(dy, place="cpu"))
            gradients = {INPUT: layout.gradient(tensor)} | layout.gradients(self._layer)
        return Observed(output.numpy().copy(), layers, layout.read(self._layer), gradients)
