"""A block of Paddle: layers and their eager passes, and the tuned form of them."""

from collections.abc import Sequence

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from common.config import FORMS
from common.names import known
from common.oracle.optimisers import Optimiser
from common.protocols import Timed, as_far_as_it_comes
from common.spec import INPUT, BlockSpec
from common.spec.params import Arrays, fits
from frameworks.paddle import layout, optimisers, timing
from frameworks.paddle.blocks import BLOCKS
from frameworks.paddle.graph import Graph
from frameworks.paddle.layers import with_exact_layers
from frameworks.paddle.ready_made import ready_made
from frameworks.paddle.tracing import tapped


def made(spec: BlockSpec, variant: str, exact: bool) -> nn.Layer:
    """The layer of a variant, before it has its arrays."""
    if variant == "ready-made":
        return ready_made(spec)
    layer = BLOCKS[spec.family](**spec.arguments) if spec.family in BLOCKS else Graph(spec)
    return with_exact_layers(layer) if exact else layer


class Built:
    """A block as an ``nn.Layer`` in evaluation mode."""

    def __init__(self, spec: BlockSpec, layer: nn.Layer, dtype: paddle.dtype, device: str, exact: bool) -> None:
        self._spec = spec
        self._exact = exact
        self.native = layer
        self.dtype = dtype
        self.device = device

    def _tensor(self, x: np.ndarray) -> paddle.Tensor:
        return paddle.to_tensor(x, dtype=self.dtype, place=self.device)

    def _given(self, x: np.ndarray) -> paddle.Tensor:
        """The caller's own memory where that is possible, as in torch: else nobody sees a block that writes there."""
        shared = paddle.utils.dlpack.from_dlpack(np.ascontiguousarray(x))
        alike = shared.dtype == self.dtype and self.device == "cpu"
        return shared if alike else self._tensor(x)

    def load(self, params: Arrays) -> None:
        layout.write(self.native, fits(self._spec, params))

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)  # Paddle itself takes maps that are smaller than a kernel, and returns nonsense
        self.native.eval()
        with paddle.no_grad():
            return self.native(self._given(x)).numpy()

    def params(self) -> Arrays:
        return layout.read(self.native)

    def trainable(self) -> frozenset[str]:
        return layout.trainable(self.native)

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)
        self.native.train()
        with paddle.no_grad():
            return self.native(self._given(x)).numpy()

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        self._spec.taken(x=x, dy=dy)
        self.native.train()
        self.native.clear_gradients()
        tensor = self._tensor(x)
        tensor.stop_gradient = False
        self.native(tensor).backward(self._tensor(dy))
        return {INPUT: layout.gradient(tensor)} | layout.gradients(self.native)

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        steps, states = optimisers.native(optimiser, self.native.parameters(), self._exact), []
        for x, dy in batches:
            self.gradients(x, dy)
            steps.step()
            states.append(self.params())
        return states

    def fit(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> np.ndarray:
        layer, losses = self.native, []
        layer.train()
        steps = optimisers.native(optimiser, layer.parameters(), self._exact)
        for x, labels in batches:
            loss = F.cross_entropy(layer(self._tensor(x)), paddle.to_tensor(labels, place=self.device))
            loss.backward()
            steps.step()
            layer.clear_gradients()
            losses.append(loss.detach())
        return paddle.stack(losses).numpy()

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        names = frozenset(node.name for node in self._spec.nodes)
        with tapped(self.native, names, gradients=dy is not None) as seen, as_far_as_it_comes(seen):
            if dy is None:
                Built.forward(self, x)  # eager whatever the variant: nothing else has layers to be seen
            else:
                self.gradients(x, dy)
        outputs = {name: value.numpy() for name, value in seen.items()}
        return outputs, {} if dy is None else {name: layout.gradient(value) for name, value in seen.items()}

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        tensor = self._tensor(x)
        if mode == "forward":
            return timing.forward(self.native, tensor, form, layout)
        assert dy is not None
        return timing.training(self.native, mode, tensor, self._tensor(dy), form, layout, self._exact)


class Tuned(Built):
    """A block whose inference in float32 is Paddle Inference's; its training is the reference's."""

    def __init__(
        self, spec: BlockSpec, layer: nn.Layer, dtype: paddle.dtype, device: str, exact: bool, form: timing.Compiler
    ) -> None:
        """``form`` is a device's of `frameworks.paddle.tuned.FORMS`."""
        super().__init__(spec, layer, dtype, device, exact)
        self._form = form

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)
        return self._form(self.native, x.shape)(self._tensor(x)).numpy()  # made anew: of the arrays as they are now

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        if mode != "forward":
            return super().timed(mode, x, dy, form, layout)
        known("form of paddle tuned", form, [choice for choice in FORMS if choice != "eager"])
        return timing.forward(self.native, self._tensor(x), self._form, layout)
