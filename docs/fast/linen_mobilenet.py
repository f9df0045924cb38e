"""A MobileNetV1 in Flax's linen API that knows nothing of convparity, timed as it is and through `tuned`.

Run it from a checkout: python docs/fast/linen_mobilenet.py
"""

import time

import flax.linen as nn
import jax
import numpy as np

BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class MobileNet(nn.Module):
    """``[n, h, w, 3] -> [n, classes]``."""

    classes: int = 1000
    alpha: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.conv(x, int(32 * self.alpha), 3, 2)
        for channels, stride in BLOCKS:
            x = self.conv(x, x.shape[-1], 3, stride, x.shape[-1])
            x = self.conv(x, int(channels * self.alpha), 1)
        return nn.Dense(self.classes)(x.mean((1, 2)))

    def conv(self, x: jax.Array, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> jax.Array:
        """Convolution, norm, ReLU."""
        size, pad = (kernel, kernel), kernel // 2
        x = nn.Conv(channels, size, stride, pad, feature_group_count=groups, use_bias=False)(x)
        return nn.relu(nn.BatchNorm(use_running_average=True)(x))


def main() -> None:
    """Prints the times of both, in turns, and by how much their outputs differ."""
    from frameworks.jax.tuned import tuned

    net, x = MobileNet(), jax.random.normal(jax.random.key(0), (1, 224, 224, 3))
    variables = net.init(jax.random.key(1), x)
    plain, fast = jax.jit(net.apply), jax.jit(tuned(net.apply))
    expected, found = plain(variables, x), fast(variables, x)
    seconds: dict[str, list[float]] = {"plain": [], "tuned": []}
    for _ in range(30):
        for name, function in (("plain", plain), ("tuned", fast)):
            function(variables, x).block_until_ready()
            start = time.perf_counter()
            function(variables, x).block_until_ready()
            seconds[name].append(time.perf_counter() - start)
    ratios = np.divide(seconds["plain"], seconds["tuned"])
    for name, found_seconds in seconds.items():
        print(f"{name}: median {1e3 * np.median(found_seconds):.1f} ms")
    low, high = np.quantile(ratios, [0.25, 0.75])
    print(f"{np.median(ratios):.1f} times faster (quartiles of 30 pairs {low:.1f} to {high:.1f})")
    print(f"greatest difference {np.abs(expected - found).max() / np.abs(expected).max():.1e} of the greatest output")


if __name__ == "__main__":
    main()
