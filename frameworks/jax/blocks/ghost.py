"""GhostNet's module in JAX."""

import jax
import jax.numpy as jnp

from common.layers.values import Pair
from frameworks.jax.layers import Tree, batch_norm, conv2d


def conv_bn(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), groups: int = 1, relu: bool, train: bool
) -> tuple[jax.Array, Tree]:
    """Convolution that keeps the size (apart from its stride), norm, and a ReLU if ``relu``."""
    kh, kw = params["conv"]["kernel"].shape[:2]
    padding = ((kh // 2, kh // 2), (kw // 2, kw // 2))
    x = conv2d(params["conv"], x, stride, padding, groups=groups)
    x, norm = batch_norm(params["norm"], stats["norm"], x, train=train)
    return (jax.nn.relu(x) if relu else x), {"norm": norm}


def ghost_module(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    out_channels: int,
    stride: Pair = (1, 1),
    relu: bool = True,
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """``out_channels`` maps, some from a convolution and the rest from cheap depthwise kernels; NHWC.

    Porting notes: channels are the last axis: concatenate and slice there. ``feature_group_count`` is the number of
    primary maps. If each map has several cheap kernels, their outputs are neighbours, as in PyTorch.
    """
    primary, primary_stats = conv_bn(params["primary"], stats["primary"], x, stride=stride, relu=relu, train=train)
    cheap, cheap_stats = conv_bn(
        params["cheap"], stats["cheap"], primary, groups=primary.shape[-1], relu=relu, train=train
    )
    y = jnp.concatenate([primary, cheap], axis=-1)[..., :out_channels]
    return y, {"primary": primary_stats, "cheap": cheap_stats}
