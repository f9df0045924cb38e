"""The inverted residual of MobileNetV2, MobileNetV3 and EfficientNet in JAX."""

import jax

from common.layers.values import Pair
from frameworks.jax.blocks.residual import conv_norm
from frameworks.jax.layers import Tree, conv2d

ACTIVATIONS = {
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "hardswish": jax.nn.hard_swish,
    "silu": jax.nn.silu,
}
GATES = {"hardsigmoid": jax.nn.hard_sigmoid, "sigmoid": jax.nn.sigmoid}


def squeeze_excite(params: Tree, x: jax.Array, act: str, gate: str) -> jax.Array:
    """The map times a gate in (0, 1) for each channel, computed from the means of all channels.

    Porting notes: the mean is over the axes 1 and 2, with ``keepdims=True`` so that the gate is ``[n, 1, 1, c]``. The
    axes 2 and 3 of NCHW code would be the width and the channels, and raise nothing.
    """
    y = conv2d(params["reduce"], x.mean((1, 2), keepdims=True))
    y = conv2d(params["expand"], ACTIVATIONS[act](y))
    return x * GATES[gate](y)


def inverted_residual(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    stride: Pair = (1, 1),
    act: str = "relu6",
    squeeze_act: str = "relu",
    gate: str = "hardsigmoid",
    eps: float = 1e-5,
    momentum: float = 0.1,
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """1 x 1 to more channels, depthwise, maybe squeeze-excite, 1 x 1; NHWC.

    Porting notes: the arrays say whether there is an expansion, whether there is a gate, and all channels; they do not
    say the activation. The gate has no statistics, so ``stats`` has no entry for it.
    """
    layer, new, y = ACTIVATIONS[act], {}, x
    norm = {"eps": eps, "momentum": momentum, "train": train}
    if "expand" in params:
        y, new["expand"] = conv_norm(params["expand"], stats["expand"], y, act=layer, **norm)
    depthwise = {"stride": stride, "act": layer, "groups": y.shape[-1], **norm}
    y, new["depthwise"] = conv_norm(params["depthwise"], stats["depthwise"], y, **depthwise)
    if "squeeze" in params:
        y = squeeze_excite(params["squeeze"], y, squeeze_act, gate)
    y, new["project"] = conv_norm(params["project"], stats["project"], y, **norm)
    return (x + y if x.shape == y.shape and stride == (1, 1) else y), new
