"""RepVGG and its block in JAX."""

import jax

from common.layers.values import Depths, Pair
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.layers import Tree, batch_norm, conv2d, linear


def repvgg_block(
    params: Tree, stats: Tree, x: jax.Array, *, stride: Pair = (1, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """3 x 3 and 1 x 1 convolutions with norms, and a norm alone where the shapes are equal, summed; then ReLU; NHWC.

    Porting notes: the deployed form, whose ``params`` have one convolution, computes the same in evaluation from other
    arrays: each norm is folded into its kernel ``[h, w, in, out]``, and a 1 x 1 kernel is the middle of a 3 x 3 one. In
    training it is another function, because its norms are gone. Which branches there are, the arrays say.
    """
    if "conv" in params:
        return jax.nn.relu(conv2d(params["conv"], x, stride, ((1, 1), (1, 1)))), stats
    y, dense = conv_norm(params["dense"], stats["dense"], x, stride=stride, train=train)
    z, pointwise = conv_norm(params["pointwise"], stats["pointwise"], x, stride=stride, train=train)
    y, stats_after = y + z, {"dense": dense, "pointwise": pointwise}
    if "identity" in params:
        z, stats_after["identity"] = batch_norm(params["identity"], stats["identity"], x, train=train)
        y = y + z
    return jax.nn.relu(y), stats_after


def repvgg(
    params: Tree, stats: Tree, x: jax.Array, *, depths: Depths = (2, 4, 14, 1), train: bool = False
) -> tuple[jax.Array, Tree]:
    """RepVGG: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: "SAME" at stride 2 pads an even map at the bottom and right only (flax#2993); here both sides are
    padded, as in PyTorch. A pytree of statistics must keep its structure: what is deployed has none.
    """
    strides = [(1, 1) if i else (2, 2) for depth in depths for i in range(depth)]
    before = stats or {"stem": {}, "blocks": [{}] * len(strides)}
    x, stem = repvgg_block(params["stem"], before["stem"], x, stride=(2, 2), train=train)
    blocks = []
    for block, block_stats, stride in zip(params["blocks"], before["blocks"], strides, strict=True):
        x, block_stats = repvgg_block(block, block_stats, x, stride=stride, train=train)
        blocks.append(block_stats)
    return linear(params["head"]["linear"], x.mean((1, 2))), {"stem": stem, "blocks": blocks} if stats else stats
