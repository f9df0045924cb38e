"""Convolution, norm and activation, and the depthwise-separable block, in JAX."""

import jax

from common.layers.values import Padding, Pair
from frameworks.jax.layers import Tree, batch_norm, conv2d


def conv_bn_act(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = ((1, 1), (1, 1)),
    dilation: Pair = (1, 1),
    groups: int = 1,
    eps: float = 1e-5,
    momentum: float = 0.1,
    negative_slope: float = 0.01,
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """Convolution, batch normalisation, LeakyReLU; NHWC.

    Porting notes: no module keeps the running statistics: the function takes them as ``stats`` and returns the new
    ones. ``train`` must be static under ``jax.jit``. The running variance takes the *biased* batch variance, which is
    what ``jnp.var`` gives. At exactly 0 the gradient of LeakyReLU is 1; in PyTorch it is the slope.
    """
    x = conv2d(params["conv"], x, stride, padding, dilation, groups)
    x, norm = batch_norm(params["norm"], stats["norm"], x, eps, momentum, train)
    return jax.nn.leaky_relu(x, negative_slope), {"norm": norm}


def depthwise_separable(
    params: Tree,
    stats: Tree,
    x: jax.Array,
    *,
    stride: Pair = (1, 1),
    padding: Padding = ((1, 1), (1, 1)),
    dilation: Pair = (1, 1),
    negative_slope: float = 0.1,
    train: bool = False,
) -> tuple[jax.Array, Tree]:
    """Depthwise convolution, norm, LeakyReLU, pointwise convolution, norm, LeakyReLU; NHWC.

    Porting notes: the channels are not arguments: the shapes of the kernels say them. A convolution has a bias if its
    ``params`` have one. ``stats`` goes through the block as the activations do.
    """
    x, depthwise = conv_bn_act(
        params["depthwise"],
        stats["depthwise"],
        x,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=x.shape[-1],
        negative_slope=negative_slope,
        train=train,
    )
    x, pointwise = conv_bn_act(
        params["pointwise"],
        stats["pointwise"],
        x,
        padding=((0, 0), (0, 0)),
        negative_slope=negative_slope,
        train=train,
    )
    return x, {"depthwise": depthwise, "pointwise": pointwise}
