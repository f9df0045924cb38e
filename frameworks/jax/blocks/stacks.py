"""The standard and the separable stack in JAX."""

import jax

from frameworks.jax.blocks.separable import conv_bn_act
from frameworks.jax.layers import Tree, batch_norm, conv2d

ONE = ((1, 1), (1, 1))


def conv_stack(
    params: Tree, stats: Tree, x: jax.Array, *, negative_slope: float = 0.01, train: bool = False
) -> tuple[jax.Array, Tree]:
    """3 x 3 convolution without bias, norm, LeakyReLU, as often as ``params`` has blocks; NHWC.

    Porting notes: a Python loop is unrolled by ``jax.jit``; blocks of equal shapes could be stacked and scanned with
    ``lax.scan``, which compiles faster.
    """
    blocks = []
    for block, block_stats in zip(params["blocks"], stats["blocks"], strict=True):
        x, block_stats = conv_bn_act(block, block_stats, x, negative_slope=negative_slope, train=train)
        blocks.append(block_stats)
    return x, {"blocks": blocks}


def separable_block(
    params: Tree, stats: Tree, x: jax.Array, *, negative_slope: float, train: bool
) -> tuple[jax.Array, Tree]:
    """3 x 3 depthwise convolution, pointwise convolution, norm, LeakyReLU; nothing between the convolutions."""
    x = conv2d(params["depthwise"], x, padding=ONE, groups=x.shape[-1])
    x = conv2d(params["pointwise"], x)
    x, norm = batch_norm(params["norm"], stats["norm"], x, train=train)
    return jax.nn.leaky_relu(x, negative_slope), {"norm": norm}


def separable_stack(
    params: Tree, stats: Tree, x: jax.Array, *, negative_slope: float = 0.01, train: bool = False
) -> tuple[jax.Array, Tree]:
    """As many separable blocks as ``params`` has; NHWC.

    Porting notes: on a CPU nearly all the time goes to the depthwise convolutions (jax#23713).
    """
    blocks = []
    for block, block_stats in zip(params["blocks"], stats["blocks"], strict=True):
        x, block_stats = separable_block(block, block_stats, x, negative_slope=negative_slope, train=train)
        blocks.append(block_stats)
    return x, {"blocks": blocks}
