"""Looking at the layers inside a layer."""

import contextlib
from collections.abc import Callable, Iterator

import paddle
from paddle import nn


@contextlib.contextmanager
def tapped(layer: nn.Layer, names: frozenset[str], gradients: bool) -> Iterator[dict[str, paddle.Tensor]]:
    """While active, collects the outputs of the sublayers of these names, which may keep their gradients."""
    seen: dict[str, paddle.Tensor] = {}

    def keep(name: str) -> Callable[[nn.Layer, paddle.Tensor, paddle.Tensor], paddle.Tensor]:
        def hook(layer: nn.Layer, inputs: paddle.Tensor, output: paddle.Tensor) -> paddle.Tensor:
            seen[name] = output
            if gradients and not output.stop_gradient:
                output.retain_grads()
            return output

        return hook

    sublayers = [(name, child) for name, child in layer.named_sublayers() if name in names]
    handles = [child.register_forward_post_hook(keep(name)) for name, child in sublayers]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
