"""The standard and the separable stack in JAX."""

import jax

from frameworks.jax.blocks.separable import conv_bn_act
from frameworks.jax.layers import Tree, batch_norm, conv2d

ONE = ((1, 1), (1, 1))


def conv_stack(
    params: Tree, stats: Tree, x: jax.Array, *, negative_slope: float = 0.01, train: bool = False
) -> tuple[jax.Array, Tree]:
    """For each block in ``params``: 3 x 3 convolution without bias, norm, LeakyReLU; NHWC.

    Porting notes: ``jax.jit`` unrolls a Python loop. Blocks of equal shapes can be stacked and run by ``lax.scan``,
    which compiles faster.
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
    """The separable blocks in ``params``, one after another; NHWC.

    Porting notes: on a CPU nearly all the time goes to the depthwise convolutions (jax#23713).
    """
    blocks = []
    for block, block_stats in zip(params["blocks"], stats["blocks"], strict=True):
        x, block_stats = separable_block(block, block_stats, x, negative_slope=negative_slope, train=train)
        blocks.append(block_stats)
    return x, {"blocks": blocks}
