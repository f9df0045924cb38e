"""What Flax (nnx) does by default, measured by running it; the questions are in common/port/facts.py."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from common.port.facts import described, digits, outcome, sizes, zeros_added
from frameworks.flax import layout

ARGUMENTS = {
    "Conv2d": (
        nnx.Conv.__init__,
        {
            "in_channels": "in_features",
            "out_channels": "out_features",
            "kernel_size": "kernel_size",
            "stride": "strides",
            "padding": "padding",
            "dilation": "kernel_dilation",
            "groups": "feature_group_count",
            "bias": "use_bias",
            "padding mode": "padding",
            "initial kernel": "kernel_init",
        },
    ),
    "BatchNorm2d": (
        nnx.BatchNorm.__init__,
        {
            "num_features": "num_features",
            "eps": "epsilon",
            "momentum": "momentum",
            "affine": "use_scale, use_bias",
            "layout": "axis",
            "running statistics": "use_running_average",
        },
    ),
    "LeakyReLU": (nnx.leaky_relu, {"negative_slope": "negative_slope"}),
    "AvgPool2d": (
        nnx.avg_pool,
        {
            "kernel_size": "window_shape",
            "stride": "strides",
            "padding": "padding",
            "count_include_pad": "count_include_pad",
        },
    ),
    "Dropout": (nnx.Dropout.__init__, {"rate": "rate"}),
    "Linear": (
        nnx.Linear.__init__,
        {
            "in_features": "in_features",
            "out_features": "out_features",
            "bias": "use_bias",
            "initial weight": "kernel_init",
        },
    ),
    "Softmax": (nnx.softmax, {"axis": "axis"}),
}


def arguments() -> dict[str, dict[str, str]]:
    """Names and defaults of the constructors' arguments, by layer and concept."""
    return {layer: described(function, names) for layer, (function, names) in ARGUMENTS.items()}


def held(native: nnx.Module) -> dict[str, np.ndarray]:
    """The block's arrays under Flax's own names: the path in the state."""
    flat = nnx.to_flat_state(nnx.state(native, layout.ARRAYS))
    return {".".join(map(str, path)): np.asarray(value.get_value()) for path, value in flat}


def _names(module: nnx.Module) -> str:
    return ", ".join(held(module))


def _conv(*arguments: object, **options: object) -> nnx.Conv:
    return nnx.Conv(*arguments, **options, rngs=nnx.Rngs(0))  # pyright: ignore[reportArgumentType, reportCallIssue]


def _padding(**options: object) -> str:
    def conv(x: np.ndarray) -> np.ndarray:
        layer = _conv(1, 1, (3, 3), use_bias=False, kernel_init=nnx.initializers.ones, **options)
        return np.asarray(layer(jnp.asarray(x.transpose(0, 2, 3, 1)))).transpose(0, 3, 1, 2)

    return outcome(lambda: zeros_added(conv))


def _too_large() -> str:
    n, h, w, c = _conv(1, 1, (4, 4), padding="VALID")(jnp.ones((1, 2, 2, 1))).shape
    return sizes((n, c, h, w))


def _activations() -> str:
    shape = _conv(2, 5, (1, 1))(jnp.ones((1, 3, 4, 2))).shape
    return "NHWC" if shape == (1, 3, 4, 5) else "NCHW"


def _flatten() -> str:
    x = np.zeros((1, 3, 4, 2), np.float32)
    x[0, 0, 2, 1] = 1
    return str(jnp.asarray(x).reshape(1, -1).argmax())


def _norm(**options: float) -> nnx.BatchNorm:
    """A norm after one batch of mean 1 and biased variance 4, of 12 values a channel."""
    norm = nnx.BatchNorm(1, **options, rngs=nnx.Rngs(0))  # pyright: ignore[reportArgumentType]
    norm(np.tile([-1.0, 3.0], 6).reshape(1, 3, 4, 1).astype(np.float32))
    return norm


def _evaluation() -> str:
    norm = nnx.BatchNorm(1, rngs=nnx.Rngs(0))
    norm.eval()
    norm(jnp.ones((1, 2, 2, 1)))
    return "yes" if norm.mean[...].item() else "no"


def _draw() -> jax.Array:
    return nnx.Rngs(0).params.uniform((4,))


def _softmax_axis() -> str:
    y = np.asarray(nnx.softmax(np.random.default_rng(0).random((2, 3, 4, 5), np.float32)))
    return next(str(axis) for axis in range(4) if np.allclose(y.sum(axis), 1))


def _load() -> str:
    layer = nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    state = nnx.state(layer)
    del state["bias"]
    nnx.update(layer, state)
    return "silent"


def answers() -> dict[str, str]:
    """An answer to every question."""
    conv, grouped = _conv(256, 256, (3, 3)), _conv(512, 512, (3, 3), feature_group_count=8)
    linear, norm = nnx.Linear(1024, 512, rngs=nnx.Rngs(0)), nnx.BatchNorm(3, rngs=nnx.Rngs(0))
    unbiased = _conv(1, 1, (1, 1), use_bias=False)
    bare = nnx.BatchNorm(3, use_scale=False, use_bias=False, rngs=nnx.Rngs(0))
    dropout, disabled = nnx.Dropout(0.5, rngs=nnx.Rngs(0)), nnx.Dropout(0.5, deterministic=True)
    assert conv.bias is not None
    assert linear.bias is not None
    ones = jnp.ones((1, 4, 4, 1))
    corner = nnx.avg_pool(ones, (3, 3), padding=((1, 1), (1, 1)))[0, 0, 0, 0]  # pyright: ignore[reportArgumentType]
    return {
        "activations": _activations(),
        "conv_kernel": sizes(_conv(6, 10, (3, 5)).kernel.shape),
        "depthwise_kernel": sizes(_conv(6, 12, (3, 5), feature_group_count=6).kernel.shape),
        "linear_weight": sizes(nnx.Linear(4, 7, rngs=nnx.Rngs(0)).kernel.shape),
        "flatten": _flatten(),
        "conv_names": _names(conv),
        "norm_names": _names(norm),
        "conv_no_bias": "`use_bias=False`" if _names(unbiased) == "kernel" else "not `use_bias=False`",
        "norm_no_affine": f"{'' if _names(bare) == 'mean, var' else 'not '}`use_scale=False, use_bias=False`",
        "conv_int_kernel": sizes(_conv(6, 10, 3).kernel.shape),
        "conv_default_padding": _padding(),
        "conv_same_stride_2": _padding(strides=2, padding="SAME"),
        "conv_too_large": outcome(_too_large),
        "pool_stride": str((4 - 2) // (nnx.avg_pool(ones, (2, 2)).shape[1] - 1)),
        "pool_divisor": str(round(4 / float(corner))),
        "norm_momentum": digits(_norm().mean[...].item()),
        "norm_momentum_argument": digits(_norm(momentum=0.3).mean[...].item()),
        "norm_variance": f"{_norm(momentum=0.0).var[...].item() / 4:.3f} times the biased one",
        "norm_fresh": "training" if _norm().mean[...].item() else "evaluation",
        "norm_counted": f"{sum(a.size for a in jax.tree.leaves(nnx.state(norm)))} (6 with the filter `nnx.Param`)",
        "eval_returns": "the module" if norm.eval() is norm else "None",  # pyright: ignore[reportFunctionMemberAccess]
        "conv_init": digits(conv.kernel[...].std() * (256 * 9) ** 0.5),
        "conv_init_groups": digits(grouped.kernel[...].std() * (64 * 9) ** 0.5),
        "conv_bias_init": digits(abs(conv.bias[...]).max()),
        "linear_init": digits(linear.kernel[...].std() * 32),
        "linear_bias_init": digits(abs(linear.bias[...]).max()),
        "leaky_slope": digits(nnx.leaky_relu(np.float32(-1))),
        "leaky_gradient": digits(jax.grad(lambda x: nnx.leaky_relu(x, 0.1))(0.0)),
        "softmax_axis": _softmax_axis(),
        "gelu": f"{float(nnx.gelu(np.float32(1))):.5f}",
        "dropout_training": digits(dropout(np.ones(1000, np.float32)).max()),
        "dropout_evaluation": digits(disabled(np.ones(1, np.float32)).item()),
        "float64": str(jnp.asarray(np.ones(1)).dtype),
        "variance": digits(jnp.arange(3.0).var()),
        "load_missing": outcome(_load),
        "evaluation": _evaluation(),
        "seed": "the streams: `nnx.Rngs(0)`" if jnp.array_equal(_draw(), _draw()) else "not the streams",
        "tf32": f"`jax_default_matmul_precision` is {jax.config.values['jax_default_matmul_precision']}",
        "adamw_decay": described(optax.adamw, {"": "weight_decay"})[""],
    }
