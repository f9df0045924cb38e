"""One small network in every framework, as a user would write it: names differ, and it can be made wrong."""

from typing import Any


def torch_net(eps: float = 1e-5, momentum: float = 0.1, slope: float = 0.0, padding: int = 1, **how: bool) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, 5)  # defined first, run last
            self.features = nn.Sequential(
                nn.Conv2d(3, 6, 3, stride=2, padding=padding, bias=False),
                nn.BatchNorm2d(6, eps=eps, momentum=momentum),
                nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True),
                nn.Conv2d(6, 8, 3, padding=1),
                nn.Dropout(0.3),
            )

        def forward(self, x: torch.Tensor) -> Any:
            maps = self.features(x)
            y = self.head((maps.detach() if how.get("detached") else maps).mean((2, 3)))
            if how.get("frozen"):
                y = y + 0 * self.head.weight.detach().sum()
            return y

    net = Net()
    if how.get("frozen"):
        net.head.weight.requires_grad_(False)
    return net


def scaled_net(infinite: str, factor: float) -> Any:
    """A convolution times ``factor``, and infinite ``everywhere``, ``in places`` or ``nowhere``."""
    import torch
    from torch import nn

    class Net(nn.Conv2d):
        def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name of the base class
            y = super().forward(input)
            large = {"everywhere": y.abs() >= 0, "in places": y > 0, "nowhere": y.abs() < 0}[infinite]
            return torch.where(large, 1e308 * y * 1e10, factor * y)

    return Net(3, 4, 3)


def paddle_net() -> Any:
    import paddle
    from paddle import nn

    class Net(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2D(3, 6, 3, stride=2, padding=1, bias_attr=False)
            self.bn = nn.BatchNorm2D(6)
            self.second = nn.Conv2D(6, 8, 3, padding=1)
            self.drop = nn.Dropout(0.3)
            self.pool = nn.AdaptiveAvgPool2D(1)
            self.out = nn.Linear(8, 5)

        def forward(self, x: paddle.Tensor) -> paddle.Tensor:
            x = nn.functional.relu(self.bn(self.first(x)))
            return self.out(paddle.flatten(self.pool(self.drop(self.second(x))), 1))

    return Net()


def flax_net(padding: Any = 1) -> Any:
    import jax
    import jax.numpy as jnp
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.layers = nnx.List(
                [
                    nnx.Conv(3, 6, (3, 3), strides=2, padding=padding, use_bias=False, dtype=jnp.float32, rngs=rngs),
                    nnx.BatchNorm(6, momentum=0.9, rngs=rngs),
                    nnx.Conv(6, 8, (3, 3), padding=1, rngs=rngs),
                ]
            )
            self.drop = nnx.Dropout(0.3, rngs=rngs)
            self.out = nnx.Linear(8, 5, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            first, norm, second = self.layers
            return self.out(self.drop(second(nnx.relu(norm(first(x))))).mean((1, 2)))

    return Net(nnx.Rngs(0))


def linen_net() -> Any:
    import jax
    from flax import linen

    class Net(linen.Module):
        @linen.compact
        def __call__(self, x: jax.Array, train: bool) -> jax.Array:
            x = linen.Conv(6, (3, 3), strides=2, padding=1, use_bias=False)(x)
            x = linen.relu(linen.BatchNorm(use_running_average=not train, momentum=0.9)(x))
            x = linen.Dropout(0.3, deterministic=not train)(linen.Conv(8, (3, 3), padding=1)(x))
            return linen.Dense(5)(x.mean((1, 2)))

    return Net()


def jax_net(slope: float = 0.0, eps: float = 1e-5, stride: int = 2) -> Any:
    import jax
    import jax.numpy as jnp
    from jax import lax

    def conv(own: Any, x: jax.Array, stride: int) -> jax.Array:
        numbers = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, own["kernel"], (stride, stride), ((1, 1), (1, 1)), dimension_numbers=numbers)

    def apply(params: Any, stats: Any, x: jax.Array, train: bool = False) -> tuple[jax.Array, Any]:
        x = conv(params["stem"], x, stride)
        mean, var = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if train else (stats["bn"]["mean"], stats["bn"]["var"])
        new = {"mean": 0.9 * stats["bn"]["mean"] + 0.1 * mean, "var": 0.9 * stats["bn"]["var"] + 0.1 * var}
        x = (x - mean) * lax.rsqrt(var + eps) * params["bn"]["scale"] + params["bn"]["bias"]
        x = conv(params["conv1"], jax.nn.leaky_relu(x, slope), 1) + params["conv1"]["bias"]
        y = x.mean((1, 2)) @ params["fc"]["kernel"] + params["fc"]["bias"]
        return y, {"bn": new} if train else stats

    params = {
        "stem": {"kernel": jnp.zeros((3, 3, 3, 6))},  # by name after the others
        "bn": {"scale": jnp.zeros(6), "bias": jnp.zeros(6)},
        "conv1": {"kernel": jnp.zeros((3, 3, 6, 8)), "bias": jnp.zeros(8)},
        "fc": {"kernel": jnp.zeros((8, 5)), "bias": jnp.zeros(5)},
    }
    return apply, params, {"bn": {"mean": jnp.zeros(6), "var": jnp.ones(6)}}


NETS = {"torch": torch_net, "paddle": paddle_net, "flax": flax_net, "linen": linen_net, "jax": jax_net}
