"""What plain JAX does by default, measured by running it; the questions are in common/port/facts.py.

JAX has operations and no layers. For BatchNorm and dropout it has no operation either: the answer is that of
frameworks/jax/layers.py, which the blocks use.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import SingleDeviceSharding

from common.port.facts import NOTHING, described, digits, outcome, sizes, zeros_added
from frameworks.jax import layers, layout
from frameworks.jax.layers import Tree

ARGUMENTS = {
    "Conv2d": (
        lax.conv_general_dilated,
        {
            "kernel_size": "rhs",
            "stride": "window_strides",
            "padding": "padding",
            "dilation": "rhs_dilation",
            "groups": "feature_group_count",
            "layout": "dimension_numbers",
        },
    ),
    "BatchNorm2d": (layers.batch_norm, {"eps": "eps", "momentum": "momentum"}),
    "LeakyReLU": (jax.nn.leaky_relu, {"negative_slope": "negative_slope"}),
    "AvgPool2d": (
        lax.reduce_window,
        {"kernel_size": "window_dimensions", "stride": "window_strides", "padding": "padding"},
    ),
    "Dropout": (layers.dropout, {"rate": "rate"}),
    "Linear": (jnp.matmul, {}),
    "Softmax": (jax.nn.softmax, {"axis": "axis"}),
}


def arguments() -> dict[str, dict[str, str]]:
    """Names and defaults of the functions' arguments, by layer and concept."""
    return {layer: described(function, names) for layer, (function, names) in ARGUMENTS.items()}


def held(native: tuple[object, Tree, Tree]) -> dict[str, np.ndarray]:
    """The block's arrays under their keys in the two trees."""
    trees = {"params": native[1], "stats": native[2]}
    return {
        root + jax.tree_util.keystr(path): np.asarray(value)
        for root, tree in trees.items()
        for path, value in jax.tree_util.tree_leaves_with_path(tree)
    }


def _stored(**arrays: np.ndarray) -> Tree:
    """One layer's canonical arrays as the blocks here store them."""
    named = {f"layer.{name}": array for name, array in arrays.items()}
    params, stats = layout.write(named, "float32", SingleDeviceSharding(jax.devices()[0]))
    return {**params["layer"], **stats.get("layer", {})}


def _kernel(*shape: int) -> str:
    return f"{sizes(_stored(weight=np.zeros(shape, np.float32))['kernel'].shape)} in the blocks here"


def _activations() -> str:
    shape = lax.conv_general_dilated(jnp.ones((1, 2, 3, 4)), jnp.ones((5, 2, 1, 1)), (1, 1), "VALID").shape
    return f"{'NCHW' if shape == (1, 5, 3, 4) else 'NHWC'} without `dimension_numbers`, NHWC in the blocks here"


def _padding(**options: object) -> str:
    def conv(x: np.ndarray) -> np.ndarray:
        kernel = np.ones((1, 1, 3, 3), np.float32)
        return np.asarray(lax.conv_general_dilated(x, kernel, **options))  # pyright: ignore[reportArgumentType]

    return outcome(lambda: zeros_added(conv))


def _flatten() -> str:
    x = np.zeros((1, 3, 4, 2), np.float32)
    x[0, 0, 2, 1] = 1
    return str(jnp.asarray(x).reshape(1, -1).argmax())


def _draw() -> jax.Array:
    return jax.random.uniform(jax.random.key(0), (4,))


def _norm(train: bool = True, **options: float) -> Tree:
    """The statistics after one batch of mean 1 and biased variance 4, of 12 values a channel."""
    stats = {"mean": jnp.zeros(1), "var": jnp.ones(1)}
    x = jnp.tile(jnp.array([-1.0, 3.0]), 6).reshape(1, 3, 4, 1)
    return layers.batch_norm({}, stats, x, train=train, **options)[1]  # pyright: ignore[reportArgumentType]


def _softmax_axis() -> str:
    y = np.asarray(jax.nn.softmax(np.random.default_rng(0).random((2, 3, 4, 5), np.float32)))
    return next(str(axis) for axis in range(4) if np.allclose(y.sum(axis), 1))


def answers() -> dict[str, str]:
    """An answer to every question."""
    dropped = partial(layers.dropout, jnp.ones(1000), 0.5, jax.random.key(0))
    square = jnp.ones((1, 1, 2, 2))
    vector = np.zeros(3, np.float32)
    norm = _stored(weight=vector, bias=vector, running_mean=vector, running_var=vector)
    window = lax.reduce_window(jnp.ones((1, 4)), 0.0, lax.add, (1, 2))
    return {
        "activations": _activations(),
        "conv_kernel": _kernel(10, 6, 3, 5),
        "depthwise_kernel": _kernel(12, 1, 3, 5),
        "linear_weight": _kernel(7, 4),
        "flatten": _flatten(),
        "conv_names": ", ".join(_stored(weight=np.zeros((1, 1, 1, 1)), bias=vector)),
        "norm_names": ", ".join(norm),
        "conv_no_bias": "add none",
        "norm_no_affine": "multiply by and add none",
        "conv_int_kernel": NOTHING,
        "conv_default_padding": outcome(lambda: _padding(window_strides=(1, 1))),
        "conv_same_stride_2": _padding(window_strides=(2, 2), padding="SAME"),
        "conv_too_large": outcome(
            lambda: sizes(lax.conv_general_dilated(square, jnp.ones((1, 1, 4, 4)), (1, 1), "VALID").shape)
        ),
        "pool_stride": str(2 // (window.shape[1] - 1)),
        "pool_divisor": NOTHING,
        "norm_momentum": digits(_norm()["mean"].item()),
        "norm_momentum_argument": digits(_norm(momentum=0.3)["mean"].item()),
        "norm_variance": f"{_norm(momentum=1.0)['var'].item() / 4:.3f} times the biased one",
        "norm_fresh": f"evaluation by default, `{described(layers.batch_norm, {'': 'train'})['']}`",
        "norm_counted": f"{sum(norm[name].size for name in ('scale', 'bias'))}: the leaves of `params`",
        "eval_returns": NOTHING,
        "conv_init": NOTHING,
        "conv_init_groups": NOTHING,
        "conv_bias_init": NOTHING,
        "linear_init": NOTHING,
        "linear_bias_init": NOTHING,
        "leaky_slope": digits(jax.nn.leaky_relu(-1.0)),
        "leaky_gradient": digits(jax.grad(lambda x: jax.nn.leaky_relu(x, 0.1))(0.0)),
        "softmax_axis": _softmax_axis(),
        "gelu": f"{float(jax.nn.gelu(1.0)):.5f}",
        "dropout_training": digits(dropped(train=True).max()),
        "dropout_evaluation": digits(dropped(train=False).max()),
        "float64": str(jnp.asarray(np.ones(1)).dtype),
        "variance": digits(jnp.arange(3.0).var()),
        "load_missing": NOTHING,
        "evaluation": "yes" if _norm(train=False)["mean"].item() else "no",
        "seed": "the key: `jax.random.key(0)`" if jnp.array_equal(_draw(), _draw()) else "not the key",
        "tf32": f"`jax_default_matmul_precision` is {jax.config.values['jax_default_matmul_precision']}",
        "adamw_decay": described(optax.adamw, {"": "weight_decay"})[""],
    }
