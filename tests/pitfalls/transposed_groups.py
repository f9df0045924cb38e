"""Transposed convolutions of JAX and Flax have no groups

`nnx.ConvTranspose` and `lax.conv_transpose` raise if one gives them. Split the channels and make one for each group, or
use `lax.conv_general_dilated` with `lhs_dilation` and `feature_group_count`, as here.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("raises",)
THREADS = ("https://github.com/jax-ml/jax/issues/4637",)
GROUPS = 2
KERNEL = 3
STRIDE = 2
HARMFUL = ({"GROUPS": 4}, {"KERNEL": 2, "STRIDE": 3}, {"KERNEL": 4, "STRIDE": 1})
rng = np.random.default_rng(0)
X = rng.normal(0, 1, (1, 4, 5, 6)).astype(np.float32)
W = rng.normal(0, 1, (4, 2, KERNEL, KERNEL)).astype(np.float32)  # [in, out / groups, kh, kw]
TERMS = 4 * KERNEL * KERNEL


def source():
    import torch

    x, w = torch.from_numpy(X), torch.from_numpy(W)
    return torch.nn.functional.conv_transpose2d(x, w, stride=STRIDE, groups=GROUPS).numpy()


def source_paddle():
    import paddle

    x, w = paddle.to_tensor(X), paddle.to_tensor(W)
    return paddle.nn.functional.conv2d_transpose(x, w, stride=STRIDE, groups=GROUPS).numpy()


def naive_jax():
    from jax import lax

    sides = ((KERNEL - 1, KERNEL - 1), (KERNEL - 1, KERNEL - 1))
    groups: dict = {"feature_group_count": GROUPS}
    return np.asarray(lax.conv_transpose(X, W, (STRIDE, STRIDE), sides, **groups))


def grouped():
    """The convolution of an input that is spread by the stride, with the kernel turned round."""
    from jax import lax

    kernel = W.reshape(GROUPS, 4 // GROUPS, 2, KERNEL, KERNEL).swapaxes(1, 2)[..., ::-1, ::-1]
    kernel = kernel.reshape(2 * GROUPS, 4 // GROUPS, KERNEL, KERNEL)  # OIHW
    sides, spread = ((KERNEL - 1, KERNEL - 1), (KERNEL - 1, KERNEL - 1)), (STRIDE, STRIDE)
    return np.asarray(
        lax.conv_general_dilated(X, kernel, (1, 1), sides, lhs_dilation=spread, feature_group_count=GROUPS)
    )


def right_jax():
    return grouped()


def naive_flax():
    from flax import nnx

    options: dict = {"padding": "VALID", "use_bias": False, "feature_group_count": GROUPS, "rngs": nnx.Rngs(0)}
    layer = nnx.ConvTranspose(4, 2 * GROUPS, (KERNEL, KERNEL), STRIDE, **options)
    return np.asarray(layer(X.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)


def right_flax():
    return grouped()
