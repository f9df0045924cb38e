"""The gradient of LeakyReLU at exactly 0 is the slope in PyTorch, 1 elsewhere

A zero is common after a zero padding, a ReLU or a zero-initialised layer. PyTorch counts it as negative, the other
three as positive.
"""

import numpy as np

FROM = "torch"
LAYERS = ("LeakyReLU",)
SYMPTOMS = ("gradients-differ",)
THREADS = ("https://github.com/uptake/numpynet/pull/35",)
RELATED = ("https://github.com/pytorch/pytorch/pull/37559", "https://github.com/jax-ml/jax/pull/14840")
X = np.array([-1, 0, 1], np.float32)


def source():
    import torch

    x = torch.from_numpy(X).requires_grad_()
    torch.nn.functional.leaky_relu(x, 0.1).sum().backward()
    return x.grad.numpy()


def naive_jax():
    import jax

    return np.asarray(jax.grad(lambda x: jax.nn.leaky_relu(x, 0.1).sum())(X))


def right_jax():
    import jax
    import jax.numpy as jnp

    return np.asarray(jax.grad(lambda x: jnp.where(x > 0, x, 0.1 * x).sum())(X))


def naive_flax():
    import jax
    from flax import nnx

    return np.asarray(jax.grad(lambda x: nnx.leaky_relu(x, 0.1).sum())(X))


def right_flax():
    import jax
    import jax.numpy as jnp

    return np.asarray(jax.grad(lambda x: jnp.where(x > 0, x, 0.1 * x).sum())(X))


def paddle_gradient(function):
    import paddle

    x = paddle.to_tensor(X, stop_gradient=False)
    function(x).sum().backward()
    return x.grad.numpy()


def naive_paddle():
    import paddle.nn.functional as F

    return paddle_gradient(lambda x: F.leaky_relu(x, 0.1))


def right_paddle():
    import paddle

    return paddle_gradient(lambda x: paddle.where(x > 0, x, 0.1 * x))
