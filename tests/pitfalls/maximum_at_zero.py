"""The gradient of `maximum(x, 0)` at exactly 0 is 0.5

PyTorch's `relu` has gradient 0 there, and so have Paddle's and JAX's `relu`. `jnp.maximum(x, 0)` and
`paddle.maximum(x, 0)` share it between their two arguments. A zero is common after a zero padding or a zero-initialised
layer. Write `relu`.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("gradients-differ",)
THREADS = ("https://github.com/jax-ml/jax/issues/37821", "https://github.com/jax-ml/jax/pull/2342")
VALUE = 0.0
HARMLESS = ({"VALUE": 1.0}, {"VALUE": -1.0})
X = np.array([VALUE], np.float32)


def source():
    import torch

    x = torch.from_numpy(X).requires_grad_()
    torch.relu(x).sum().backward()
    return x.grad.numpy() + 1  # away from 0, so that the difference has a scale


def source_paddle():
    return right_paddle()


def naive_jax():
    import jax
    import jax.numpy as jnp

    return np.asarray(jax.grad(lambda x: jnp.maximum(x, 0).sum())(X)) + 1


def right_jax():
    import jax

    return np.asarray(jax.grad(lambda x: jax.nn.relu(x).sum())(X)) + 1


def paddle_gradient(function):
    import paddle

    x = paddle.to_tensor(X, stop_gradient=False)
    function(x).sum().backward()
    return x.grad.numpy() + 1


def naive_paddle():
    import paddle

    return paddle_gradient(lambda x: paddle.maximum(x, paddle.zeros([1])))


def right_paddle():
    import paddle

    return paddle_gradient(paddle.nn.functional.relu)
