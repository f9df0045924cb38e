"""The residual blocks of ResNet in JAX."""

from collections.abc import Callable

import jax

from common.layers.values import Pair
from frameworks.jax.layers import Tree, batch_norm, conv2d


def identity(x: jax.Array) -> jax.Array:
    """The activation of a convolution that has none."""
    return x


def conv_norm(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    stride: Pair = (1, 1),
    act: Callable[[jax.Array], jax.Array] = identity,
    groups: int = 1,
    eps: float = 1e-5,
    momentum: float = 0.1,
    train: bool,
) -> tuple[jax.Array, Tree]:
    """Convolution without bias that keeps the size (apart from its stride), norm, and ``act``."""
    kh, kw = params["conv"]["kernel"].shape[:2]
    padding = ((kh // 2, kh // 2), (kw // 2, kw // 2))
    x = conv2d(params["conv"], x, stride, padding, groups=groups)
    x, norm = batch_norm(params["norm"], stats["norm"], x, eps, momentum, train)
    return act(x), {"norm": norm}


def shortcut(params: Tree, stats: Tree, x: jax.Array, stride: Pair, train: bool) -> tuple[jax.Array, Tree]:
    """A 1 x 1 convolution with its norm if the block has one, else the identity; the statistics by name."""
    if "shortcut" not in params:
        return x, {}
    x, new = conv_norm(params["shortcut"], stats["shortcut"], x, stride=stride, train=train)
    return x, {"shortcut": new}


def residual_basic(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """Two 3 x 3 convolutions with norms beside a shortcut; NHWC.

    Porting notes: the ReLU comes after the sum. The shortcut has a convolution only where the shapes differ: then
    ``params`` has one. With stride 2, "SAME" would pad the 3 x 3 convolution at the bottom and right only.
    """
    y, first = conv_norm(params["first"], stats["first"], x, stride=stride, act=jax.nn.relu, train=train)
    y, second = conv_norm(params["second"], stats["second"], y, train=train)
    x, rest = shortcut(params, stats, x, stride, train)
    return jax.nn.relu(y + x), {"first": first, "second": second, **rest}


def residual_bottleneck(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """1 x 1 to a quarter of the channels, 3 x 3, 1 x 1, beside a shortcut; NHWC.

    Porting notes: the stride is that of the 3 x 3 convolution, as in torchvision. The paper has it in the first 1 x 1:
    the arrays have the same shapes, and the outputs differ. A pytree of statistics must keep its structure: what has no
    shortcut has no entry for one.
    """
    y, reduce = conv_norm(params["reduce"], stats["reduce"], x, act=jax.nn.relu, train=train)
    y, spatial = conv_norm(params["spatial"], stats["spatial"], y, stride=stride, act=jax.nn.relu, train=train)
    y, expand = conv_norm(params["expand"], stats["expand"], y, train=train)
    x, rest = shortcut(params, stats, x, stride, train)
    return jax.nn.relu(y + x), {"reduce": reduce, "spatial": spatial, "expand": expand, **rest}
