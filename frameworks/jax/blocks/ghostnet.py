"""GhostNet and its bottleneck in JAX."""

import jax

from common.layers.values import Pair
from frameworks.jax import layers
from frameworks.jax.blocks.ghost import ghost_module
from frameworks.jax.blocks.inverted import squeeze_excite
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.layers import Tree, conv2d, linear

# Hidden and output channels, which a ghost module does not say, and stride of each block.
BLOCKS = (
    (16, 16, 1),
    (48, 24, 2),
    (72, 24, 1),
    (72, 40, 2),
    (120, 40, 1),
    (240, 80, 2),
    (200, 80, 1),
    *[(184, 80, 1)] * 2,
    (480, 112, 1),
    (672, 112, 1),
    (672, 160, 2),
    *[(960, 160, 1)] * 4,
)


def divisible(channels: float) -> int:
    """The nearest multiple of 4 that is at least 4 and at least 0.9 ``channels``."""
    rounded = max(4, int(channels + 2) // 4 * 4)
    return rounded + 4 if rounded < 0.9 * channels else rounded


def shortcut(params: Tree, stats: Tree, x: jax.Array, stride: Pair, train: bool) -> tuple[jax.Array, Tree]:
    """Depthwise and 1 x 1 convolution with norms, for a shortcut between maps of different shapes."""
    groups, new = x.shape[-1], {}
    x, new["depthwise"] = conv_norm(
        params["depthwise"], stats["depthwise"], x, stride=stride, groups=groups, train=train
    )
    x, new["pointwise"] = conv_norm(params["pointwise"], stats["pointwise"], x, train=train)
    return x, new


def ghost_bottleneck(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    out_channels: int,
    hidden: int,
    stride: Pair = (1, 1),
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """A ghost module to ``hidden`` channels and one to ``out_channels``, beside a shortcut; NHWC.

    Porting notes: the second ghost module has no ReLU, and none follows the sum. The widths are arguments: an odd one
    does not follow from the arrays, for a ghost module makes one map more and leaves it out.
    """
    new = {}
    y, new["expand"] = ghost_module(params["expand"], stats["expand"], x, out_channels=hidden, train=train)
    if "depthwise" in params:
        options = {"stride": stride, "groups": hidden, "train": train}
        y, new["depthwise"] = conv_norm(params["depthwise"], stats["depthwise"], y, **options)
    if "squeeze" in params:
        y = squeeze_excite(params["squeeze"], y, "relu", "hardsigmoid")
    options = {"out_channels": out_channels, "relu": False, "train": train}
    y, new["project"] = ghost_module(params["project"], stats["project"], y, **options)
    if "shortcut" in params:
        x, new["shortcut"] = shortcut(params["shortcut"], stats["shortcut"], x, stride, train)
    return y + x, new


def ghostnet(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    width: float = 1.0,
    dropout: float = 0.2,
    train: bool = False,
    key: jax.Array | None = None,
) -> tuple[jax.Array, Tree]:
    """GhostNet: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: the kernel sizes and the gates follow from the arrays. The 1 x 1 convolution after the pool could as
    well be a product of matrices; its kernel would then have no first two axes.
    """
    x, stem = conv_norm(params["stem"], stats["stem"], x, stride=(2, 2), act=jax.nn.relu, train=train)
    blocks = []
    rows = BLOCKS[: len(params["blocks"])]
    for block, block_stats, (hidden, out, stride) in zip(params["blocks"], stats["blocks"], rows, strict=True):
        sizes = {
            "out_channels": divisible(out * width),
            "hidden": divisible(hidden * width),
            "stride": (stride, stride),
        }
        x, block_stats = ghost_bottleneck(block, block_stats, x, **sizes, train=train)
        blocks.append(block_stats)
    x, last = conv_norm(params["last"], stats["last"], x, act=jax.nn.relu, train=train)
    x = jax.nn.relu(conv2d(params["head"]["conv"], x.mean((1, 2), keepdims=True)))[:, 0, 0]
    x = layers.dropout(x, dropout, key, train)
    return linear(params["head"]["linear"], x), {"stem": stem, "blocks": blocks, "last": last}
