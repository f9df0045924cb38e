"""JAX on a CPU: a depthwise convolution runs on one thread, and far slower than the same sum of shifted maps.

Run it alone, on a machine with more than one processor: python jax_depthwise_one_thread.py

What happens: `lax.conv_general_dilated` with ``feature_group_count`` equal to the channels uses one thread, whatever
NPROC or the affinity says. It takes many times as long as nine multiplications and additions of shifted maps, which are
the same function. A dense convolution of the same map uses all threads.

Expected: the depthwise convolution takes no longer than its elementwise form.

Also reported in: https://github.com/jax-ml/jax/issues/23713, https://github.com/google/flax/issues/4207
"""

import functools
import os
import time

import jax
import jax.numpy as jnp
from jax import lax

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
CHANNELS, SIZE = 128, 56


@jax.jit
def depthwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """``[n, h, w, c]`` with ``[3, 3, 1, c]``, by XLA."""
    return lax.conv_general_dilated(
        x, kernel, (1, 1), ((1, 1), (1, 1)), dimension_numbers=DIMENSIONS, feature_group_count=CHANNELS
    )


@jax.jit
def shifted(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """The same function."""
    padded = lax.optimization_barrier(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))
    views = (padded[:, i : i + SIZE, j : j + SIZE] * kernel[i, j, 0] for i in range(3) for j in range(3))
    return functools.reduce(jnp.add, views)


@jax.jit
def dense(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """``[n, h, w, c]`` with ``[3, 3, c, c]``: 128 times the multiply-accumulates."""
    return lax.conv_general_dilated(x, kernel, (1, 1), ((1, 1), (1, 1)), dimension_numbers=DIMENSIONS)


def timed(function, *arguments: jax.Array) -> tuple[float, float]:
    """Median seconds of a call, and processor time over wall time."""
    function(*arguments).block_until_ready()
    seconds, cpu, wall = [], time.process_time(), time.perf_counter()
    for _ in range(30):
        start = time.perf_counter()
        function(*arguments).block_until_ready()
        seconds.append(time.perf_counter() - start)
    threads = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return sorted(seconds)[len(seconds) // 2], threads


def main() -> None:
    """Prints times and threads of the three."""
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {os.cpu_count()} processors")
    x = jax.random.normal(jax.random.key(0), (1, SIZE, SIZE, CHANNELS))
    thin = jax.random.normal(jax.random.key(1), (3, 3, 1, CHANNELS))
    full = jax.random.normal(jax.random.key(2), (3, 3, CHANNELS, CHANNELS))
    print(f"greatest difference: {jnp.abs(depthwise(x, thin) - shifted(x, thin)).max():.1e}")
    for name, function, kernel in (("depthwise", depthwise, thin), ("shifted", shifted, thin), ("dense", dense, full)):
        seconds, threads = timed(function, x, kernel)
        print(f"{name}: {1e3 * seconds:.2f} ms, {threads:.1f} threads used")


if __name__ == "__main__":
    main()
