"""Canonical and Paddle's names and layouts: the names of statistics and the layout of linear weights differ."""

import numpy as np
import paddle
from paddle import nn

from common.port.weights import distinct
from common.spec.params import Arrays

CANONICAL = {"_mean": "running_mean", "_variance": "running_var"}  # every other leaf has its canonical name
NATIVE = {name: native for native, name in CANONICAL.items()}


def canonical(name: str) -> str:
    """The canonical form of a name in Paddle's ``state_dict``."""
    path, dot, leaf = name.rpartition(".")
    return f"{path}{dot}{CANONICAL.get(leaf, leaf)}"


def native(name: str) -> str:
    """The name in Paddle's ``state_dict`` of a canonical name."""
    path, dot, leaf = name.rpartition(".")
    return f"{path}{dot}{NATIVE.get(leaf, leaf)}"


def transposed(array: np.ndarray) -> np.ndarray:
    """From canonical to Paddle's layout or back: the only matrices are linear weights, which Paddle has [in, out]."""
    return array.T if array.ndim == 2 else array


def write(layer: nn.Layer, params: Arrays) -> None:
    """Copies canonical arrays into the layer, in its dtype and on its device.

    ``Layer.set_state_dict`` is not used: it only warns about missing, unexpected or mis-shaped arrays, if at all.
    """
    tensors = {canonical(name): tensor for name, tensor in layer.state_dict().items()}
    if params.keys() != tensors.keys():
        raise ValueError(
            f"{type(layer).__name__} does not hold what the spec says: {sorted(params.keys() ^ tensors.keys())}"
        )
    for name, tensor in tensors.items():
        # A tensor, not an array: `set_value` would put an array on the process's current device, not the layer's.
        tensor.set_value(paddle.to_tensor(transposed(params[name]), dtype=tensor.dtype, place=tensor.place))


def from_native(state: Arrays) -> Arrays:
    """Canonical arrays of a ``state_dict``."""
    return distinct((canonical(name), transposed(array)) for name, array in state.items())


def to_native(arrays: Arrays) -> Arrays:
    """A ``state_dict`` of canonical arrays."""
    return {native(name): np.ascontiguousarray(transposed(array)) for name, array in arrays.items()}


def read(layer: nn.Layer) -> Arrays:
    """Canonical arrays of the layer's parameters and statistics.

    Where a norm has None for scale and bias, its state_dict leaves them out.
    """
    return from_native({name: value.numpy() for name, value in layer.state_dict().items()})


def trainable(layer: nn.Layer) -> frozenset[str]:
    """Canonical names of what an optimiser updates: ``named_parameters`` also has the frozen statistics."""
    return frozenset(canonical(name) for name, value in layer.named_parameters() if not value.stop_gradient)


def gradient(tensor: paddle.Tensor) -> np.ndarray:
    """The gradient that reached a tensor, in the tensor's own layout; zeros where none did."""
    return (paddle.zeros_like(tensor) if tensor.grad is None else tensor.grad).numpy()


def gradients(layer: nn.Layer) -> Arrays:
    """Canonical gradients of everything that an optimiser updates."""
    return from_native({name: gradient(p) for name, p in layer.named_parameters() if not p.stop_gradient})
