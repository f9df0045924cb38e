"""Small networks in torch, Paddle, Flax and JAX, as different people would write them: names and orders differ."""

from typing import Any

import numpy as np


def torch_residual(eps: float = 1e-5) -> Any:
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, i: int, o: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o, eps)
            self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o, eps)
            skip = nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o, eps)
            self.downsample = nn.Sequential(*skip) if stride > 1 else nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(y + self.downsample(x))

    return nn.Sequential(Block(3, 4, 2), Block(4, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))


def paddle_residual() -> Any:
    import paddle
    from paddle import nn

    relu = nn.functional.relu

    class Block(nn.Layer):
        def __init__(self, i: int, o: int, stride: int) -> None:
            super().__init__()
            skip = nn.Conv2D(i, o, 1, stride, bias_attr=False), nn.BatchNorm2D(o)
            self.skip = nn.Sequential(*skip) if stride > 1 else nn.Identity()  # runs first, too
            self.a, self.norm_a = nn.Conv2D(i, o, 3, stride, 1, bias_attr=False), nn.BatchNorm2D(o)
            self.b, self.norm_b = nn.Conv2D(o, o, 3, 1, 1, bias_attr=False), nn.BatchNorm2D(o)

        def forward(self, x: paddle.Tensor) -> paddle.Tensor:
            skip = self.skip(x)
            return relu(self.norm_b(self.b(relu(self.norm_a(self.a(x))))) + skip)

    return nn.Sequential(Block(3, 4, 2), Block(4, 4, 1), nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(4, 5))


def flax_residual() -> Any:
    import jax
    from flax import nnx

    rngs = nnx.Rngs(0)

    def conv(i: int, o: int, size: int, stride: int) -> nnx.Conv:
        return nnx.Conv(i, o, (size, size), strides=stride, padding=size // 2, use_bias=False, rngs=rngs)

    class Block(nnx.Module):
        def __init__(self, i: int, o: int, stride: int) -> None:
            self.skip = nnx.List([conv(i, o, 1, stride), nnx.BatchNorm(o, rngs=rngs)] if stride > 1 else [])
            self.a, self.norm_a = conv(i, o, 3, stride), nnx.BatchNorm(o, rngs=rngs)
            self.b, self.norm_b = conv(o, o, 3, 1), nnx.BatchNorm(o, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            y = self.norm_b(self.b(nnx.relu(self.norm_a(self.a(x)))))
            for layer in self.skip:
                x = layer(x)
            return nnx.relu(y + x)

    class Net(nnx.Module):
        def __init__(self) -> None:
            self.blocks, self.head = nnx.List([Block(3, 4, 2), Block(4, 4, 1)]), nnx.Linear(4, 5, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            for block in self.blocks:
                x = block(x)
            return self.head(x.mean((1, 2)))

    return Net()


def torch_inverted() -> Any:
    """Expands by a convolution of 1 x 1, where the others have a linear layer at the end."""
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.expand = nn.Sequential(nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
            self.depth = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
            self.project = nn.Sequential(nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4))

        def forward(self, x: Any) -> Any:
            return x + self.project(self.depth(self.expand(x)))

    head = nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 5, 1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), Block(), Block(), *head)


def paddle_inverted() -> Any:
    from paddle import nn

    class Block(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.bn3, self.bn2, self.bn1 = nn.BatchNorm2D(4), nn.BatchNorm2D(8), nn.BatchNorm2D(8)
            self.conv1, self.conv3 = nn.Conv2D(4, 8, 1, bias_attr=False), nn.Conv2D(8, 4, 1, bias_attr=False)
            self.conv2 = nn.Conv2D(8, 8, 3, 1, 1, groups=8, bias_attr=False)

        def forward(self, x: Any) -> Any:
            y = nn.functional.relu6(self.bn1(self.conv1(x)))
            return x + self.bn3(self.conv3(nn.functional.relu6(self.bn2(self.conv2(y)))))

    head = nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(4, 5)
    return nn.Sequential(nn.Conv2D(3, 4, 3, 2, 1), Block(), Block(), *head)


def torch_decoder() -> Any:
    """Transposed convolutions, and a linear layer after a flatten."""
    from torch import nn

    up = nn.ConvTranspose2d(4, 4, 2, 2), nn.ReLU(), nn.ConvTranspose2d(4, 3, 2, 2)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), *up, nn.ReLU(), nn.Flatten(), nn.Linear(3 * 12 * 8, 5))


def paddle_decoder() -> Any:
    from paddle import nn

    up = nn.Conv2DTranspose(4, 4, 2, 2), nn.ReLU(), nn.Conv2DTranspose(4, 3, 2, 2)
    return nn.Sequential(nn.Conv2D(3, 4, 3, 2, 1), nn.ReLU(), *up, nn.ReLU(), nn.Flatten(), nn.Linear(3 * 12 * 8, 5))


def linen_decoder() -> Any:
    """Its kernels are [h, w, in, out] and not turned, and it flattens with the channels last."""
    import jax
    from flax import linen

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            x = linen.relu(linen.Conv(4, (3, 3), strides=2, padding=1)(x))
            x = linen.relu(linen.ConvTranspose(4, (2, 2), strides=(2, 2))(x))
            x = linen.relu(linen.ConvTranspose(3, (2, 2), strides=(2, 2))(x))
            return linen.Dense(5)(x.reshape(x.shape[0], -1))

    return Net()


def torch_plain(norm: bool) -> Any:
    from torch import nn

    norms = [nn.BatchNorm2d(6)] if norm else []
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
    return nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), *norms, nn.ReLU(), nn.Conv2d(6, 8, 3, 1, 1), *head)


def haiku_plain() -> Any:
    """A function with trees as Haiku makes them, whose norms have arrays of rank 4 and a state of their own."""
    import jax
    from jax import lax

    def conv(own: Any, x: jax.Array, stride: int) -> jax.Array:
        numbers = ("NHWC", "HWIO", "NHWC")
        padding = ((1, 1), (1, 1))
        return lax.conv_general_dilated(x, own["w"], (stride, stride), padding, dimension_numbers=numbers) + own["b"]

    def apply(params: Any, state: Any, x: jax.Array) -> Any:
        mean, var = (state[f"net/~/batch_norm/~/{name}_ema"]["average"] for name in ("mean", "var"))
        norm, head = params["net/~/batch_norm"], params["net/~/linear"]
        x = (conv(params["net/~/conv2_d"], x, 2) - mean) * lax.rsqrt(var + 1e-5)
        x = conv(params["net/~/conv2_d_1"], jax.nn.relu(x * norm["scale"] + norm["offset"]), 1)
        return x.mean((1, 2)) @ head["w"] + head["b"], state

    shapes = {
        "net/~/conv2_d": {"w": (3, 3, 3, 6), "b": (6,)},
        "net/~/conv2_d_1": {"w": (3, 3, 6, 8), "b": (8,)},
        "net/~/batch_norm": {"scale": (1, 1, 1, 6), "offset": (1, 1, 1, 6)},
        "net/~/linear": {"w": (8, 5), "b": (5,)},
    }
    params = {layer: {name: zeros(*shape) for name, shape in own.items()} for layer, own in shapes.items()}
    average = {"average": zeros(1, 1, 1, 6), "hidden": zeros(1, 1, 1, 6), "counter": np.zeros((), np.int32)}
    return apply, params, {f"net/~/batch_norm/~/{name}_ema": average for name in ("mean", "var")}


def equinox_plain() -> Any:
    """A function with a tree as Equinox makes it: kernels [O, I, h, w], biases [C, 1, 1]."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    def conv(own: Any, x: jax.Array, stride: int) -> jax.Array:
        padding = ((1, 1), (1, 1))
        return lax.conv_general_dilated(x, own["weight"], (stride, stride), padding) + own["bias"]

    def apply(params: Any, x: jax.Array) -> jax.Array:
        x = conv(params[1], jax.nn.relu(conv(params[0], jnp.moveaxis(x, 3, 1), 2)), 1).mean((2, 3))
        return x @ params[2]["weight"].T + params[2]["bias"]

    layers = ((6, 3, 3, 3), (6, 1, 1)), ((8, 6, 3, 3), (8, 1, 1)), ((5, 8), (5,))
    return apply, [{"weight": zeros(*weight), "bias": zeros(*bias)} for weight, bias in layers]


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


PAIRS = {
    "residual, paddle": (torch_residual, paddle_residual),
    "residual, flax": (torch_residual, flax_residual),
    "inverted, paddle": (torch_inverted, paddle_inverted),
    "decoder, paddle": (torch_decoder, paddle_decoder),
    "decoder, linen": (torch_decoder, linen_decoder),
    "haiku, jax": (lambda: torch_plain(norm=True), haiku_plain),
    "equinox, jax": (lambda: torch_plain(norm=False), equinox_plain),
}
SHAPE = (2, 3, 6, 4)
