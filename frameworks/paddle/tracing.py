"""Looking at the layers inside a layer."""

import contextlib
from collections.abc import Callable, Iterator

import paddle
from paddle import nn


@contextlib.contextmanager
def tapped(layer: nn.Layer, names: frozenset[str], gradients: bool) -> Iterator[dict[str, paddle.Tensor]]:
    """While active, collects the outputs of these sublayers; with ``gradients`` they keep their gradients."""
    outputs: dict[str, paddle.Tensor] = {}

    def keep(name: str) -> Callable[[nn.Layer, paddle.Tensor, paddle.Tensor], paddle.Tensor]:
        def hook(layer: nn.Layer, inputs: paddle.Tensor, output: paddle.Tensor) -> paddle.Tensor:
            outputs[name] = output
            if gradients and not output.stop_gradient:
                output.retain_grads()
            return output

        return hook

    sublayers = [(name, child) for name, child in layer.named_sublayers() if name in names]
    handles = [child.register_forward_post_hook(keep(name)) for name, child in sublayers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
