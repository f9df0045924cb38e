"""ConvNeXt and its block in JAX."""

import jax

from common.layers.values import Depths
from frameworks.jax.layers import Tree, conv2d, layer_norm, layer_scale, linear

EPS = 1e-6


def convnext_block(params: Tree, stats: Tree, x: jax.Array, *, train: bool = False) -> tuple[jax.Array, Tree]:
    """Depthwise convolution, layer norm, 1 x 1, GELU, 1 x 1, layer scale, beside a shortcut; NHWC.

    Porting notes: ``jax.nn.gelu`` is the approximation by tanh unless ``approximate=False``. The norm is over the last
    axis, which is that of the channels: nothing is transposed. ``stats`` is empty, and what comes in comes out.
    """
    kh, kw, _, channels = params["depthwise"]["kernel"].shape
    y = conv2d(params["depthwise"], x, padding=((kh // 2, kh // 2), (kw // 2, kw // 2)), groups=channels)
    y = conv2d(params["expand"], layer_norm(params["norm"], y, EPS))
    y = conv2d(params["reduce"], jax.nn.gelu(y, approximate=False))
    return layer_scale(params["scale"], y) + x, stats


def convnext(
    params: Tree, stats: Tree, x: jax.Array, *, depths: Depths = (3, 3, 9, 3), train: bool = False
) -> tuple[jax.Array, Tree]:
    """ConvNeXt: ``[n, h, w, c] -> [n, classes]``, logits.

    Porting notes: the norm of a downsampling comes before its convolution, that of the stem after it. Most ports number
    the blocks from 0 in each stage; here they are numbered through.
    """
    x = layer_norm(params["stem"]["norm"], conv2d(params["stem"]["conv"], x, (4, 4)), EPS)
    blocks = iter(params["blocks"])
    for stage, depth in enumerate(depths):
        if stage:
            down = params["downsamples"][stage - 1]
            x = conv2d(down["conv"], layer_norm(down["norm"], x, EPS), (2, 2))
        for _ in range(depth):
            x, _ = convnext_block(next(blocks), {}, x)
    x = layer_norm(params["head"]["norm"], x.mean((1, 2)), EPS)
    return linear(params["head"]["linear"], x), stats
