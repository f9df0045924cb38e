"""JAX on a CPU: the gradient of a grouped convolution takes longer the more groups there are.

Run it alone: python jax_grouped_gradient.py

What happens: `lax.conv_general_dilated` with ``feature_group_count=g`` has 1/g of the dense convolution's
multiply-accumulates, but its gradients take longer than the dense one's, and their time grows with g. One convolution
for each group and a concatenation are the same function and take a fraction of the time.

Expected: the grouped gradient takes no longer than the dense one.

Also reported in: https://github.com/jax-ml/jax/issues/13800
"""

import time

import jax
import jax.numpy as jnp
from jax import lax

CHANNELS, SIZE = 64, 28


def convolve(x: jax.Array, kernel: jax.Array, groups: int) -> jax.Array:
    """``[n, h, w, c]`` with ``[3, 3, c / groups, c]``."""
    return lax.conv_general_dilated(
        x,
        kernel,
        (1, 1),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def separate(x: jax.Array, kernel: jax.Array, groups: int) -> jax.Array:
    """The same function."""
    pairs = zip(jnp.split(x, groups, 3), jnp.split(kernel, groups, 3), strict=True)
    return jnp.concatenate([convolve(x, kernel, 1) for x, kernel in pairs], 3)


def main() -> None:
    """Prints the milliseconds of the gradients, for both forms and several groups."""
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}")
    x = jax.random.normal(jax.random.key(0), (1, SIZE, SIZE, CHANNELS))
    for groups in (1, 2, 4, 8):
        kernel = jax.random.normal(jax.random.key(1), (3, 3, CHANNELS // groups, CHANNELS))
        texts = []
        for form in (convolve, separate):
            gradient = jax.jit(jax.grad(lambda x, k, form=form, g=groups: (form(x, k, g) ** 2).sum(), (0, 1)))
            jax.block_until_ready(gradient(x, kernel))
            seconds = []
            for _ in range(5):
                start = time.perf_counter()
                jax.block_until_ready(gradient(x, kernel))
                seconds.append(time.perf_counter() - start)
            texts.append(f"{form.__name__} {1e3 * sorted(seconds)[2]:.2f} ms")
        print(f"{groups} groups: {', '.join(texts)}")


if __name__ == "__main__":
    main()
