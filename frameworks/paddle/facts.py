"""What Paddle does by default, measured by running it; the questions are in common/port/facts.py."""

import warnings

import numpy as np
import paddle
from paddle import nn

from common.port.facts import described, digits, outcome, sizes, zeros_added

ARGUMENTS = {
    "Conv2d": (
        nn.Conv2D,
        {
            "in_channels": "in_channels",
            "out_channels": "out_channels",
            "kernel_size": "kernel_size",
            "stride": "stride",
            "padding": "padding",
            "dilation": "dilation",
            "groups": "groups",
            "bias": "bias_attr",
            "layout": "data_format",
            "padding mode": "padding_mode",
            "initial kernel": "weight_attr",
        },
    ),
    "BatchNorm2d": (
        nn.BatchNorm2D,
        {
            "num_features": "num_features",
            "eps": "epsilon",
            "momentum": "momentum",
            "affine": "weight_attr, bias_attr",
            "layout": "data_format",
            "running statistics": "use_global_stats",
        },
    ),
    "LeakyReLU": (nn.LeakyReLU, {"negative_slope": "negative_slope"}),
    "AvgPool2d": (
        nn.AvgPool2D,
        {
            "kernel_size": "kernel_size",
            "stride": "stride",
            "padding": "padding",
            "count_include_pad": "exclusive",
            "ceil mode": "ceil_mode",
        },
    ),
    "Dropout": (nn.Dropout, {"rate": "p"}),
    "Linear": (
        nn.Linear,
        {
            "in_features": "in_features",
            "out_features": "out_features",
            "bias": "bias_attr",
            "initial weight": "weight_attr",
        },
    ),
    "Softmax": (nn.Softmax, {"axis": "axis"}),
}


def arguments() -> dict[str, dict[str, str]]:
    """Names and defaults of the constructors' arguments, by layer and concept."""
    return {layer: described(function, names) for layer, (function, names) in ARGUMENTS.items()}


def held(native: nn.Layer) -> dict[str, np.ndarray]:
    """The block's arrays under Paddle's own names."""
    return {name: value.numpy() for name, value in native.state_dict().items()}


def _padding(**options: object) -> str:
    def conv(x: np.ndarray) -> np.ndarray:
        layer = nn.Conv2D(1, 1, 3, bias_attr=False, **options)  # pyright: ignore[reportArgumentType]
        layer.weight.set_value(np.ones((1, 1, 3, 3), np.float32))
        return layer(paddle.to_tensor(x)).numpy()

    return outcome(lambda: zeros_added(conv))


def _size_too_small() -> str:
    """The shape that Paddle infers; running such a convolution may end the process."""
    conv, shape = nn.Conv2D(1, 1, 4), paddle.static.InputSpec([1, 1, 2, 2])
    program = paddle.jit.to_static(conv.forward, [shape], full_graph=True).concrete_program
    return sizes(program.outputs[0].shape)


def _left_out(layer: nn.Layer, switch: str, *names: str) -> str:
    return switch if not set(names) & set(layer.state_dict()) else f"not {switch}"


def _activations() -> str:
    conv = nn.Conv2D(2, 5, 1)
    return "NCHW" if conv(paddle.ones([1, 2, 3, 4])).shape == [1, 5, 3, 4] else "NHWC"


def _flatten() -> str:
    x = np.zeros((1, 2, 3, 4), np.float32)
    x[0, 1, 0, 2] = 1
    return str(nn.Flatten()(paddle.to_tensor(x)).numpy().argmax())


def _norm(**options: float) -> nn.BatchNorm2D:
    """A norm after one batch of mean 1 and biased variance 4, of 12 values a channel."""
    norm = nn.BatchNorm2D(1, **options)  # pyright: ignore[reportArgumentType]
    norm(paddle.to_tensor(np.tile([-1.0, 3.0], 6).reshape(1, 1, 3, 4).astype(np.float32)))
    return norm


def _evaluation() -> str:
    norm = nn.BatchNorm2D(1)
    norm.eval()
    norm(paddle.ones([1, 1, 2, 2]))
    return "yes" if norm._mean.item() else "no"


def _draw() -> np.ndarray:
    paddle.seed(0)
    return paddle.rand([4]).numpy()


def _leaky_gradient() -> str:
    x = paddle.zeros([1])
    x.stop_gradient = False
    nn.LeakyReLU(0.1)(x).backward()
    assert x.grad is not None
    return digits(x.grad.item())


def _softmax_axis() -> str:
    y = nn.Softmax()(paddle.rand([2, 3, 4, 5])).numpy()
    return next(str(axis) for axis in range(4) if np.allclose(y.sum(axis), 1))


def _load() -> str:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    del state["bias"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        missing, _ = layer.set_state_dict(state)
    return f"{'warns' if caught else 'silent'}, returns {missing}"


def answers() -> dict[str, str]:
    """An answer to every question."""
    conv, grouped, linear = nn.Conv2D(256, 256, 3), nn.Conv2D(512, 512, 3, groups=8), nn.Linear(1024, 512)
    norm, bare = nn.BatchNorm2D(3), nn.BatchNorm2D(3, weight_attr=False, bias_attr=False)
    dropout = nn.Dropout(0.5)
    disabled = nn.Dropout(0.5)
    disabled.eval()
    return {
        "activations": _activations(),
        "conv_kernel": sizes(nn.Conv2D(6, 10, (3, 5)).weight.shape),
        "depthwise_kernel": sizes(nn.Conv2D(6, 12, (3, 5), groups=6).weight.shape),
        "linear_weight": sizes(nn.Linear(4, 7).weight.shape),
        "flatten": _flatten(),
        "conv_names": ", ".join(conv.state_dict()),
        "norm_names": ", ".join(norm.state_dict()),
        "conv_no_bias": _left_out(nn.Conv2D(1, 1, 1, bias_attr=False), "`bias_attr=False`", "bias"),
        "norm_no_affine": _left_out(bare, "`weight_attr=False, bias_attr=False`", "weight", "bias"),
        "conv_int_kernel": sizes(nn.Conv2D(6, 10, 3).weight.shape),
        "conv_default_padding": _padding(),
        "conv_same_stride_2": _padding(stride=2, padding="SAME"),
        "conv_too_large": outcome(_size_too_small),
        "pool_stride": str(6 // nn.AvgPool2D(2)(paddle.ones([1, 1, 6, 6])).shape[2]),
        "pool_divisor": str(round(4 / nn.AvgPool2D(3, 1, 1)(paddle.ones([1, 1, 4, 4])).numpy()[0, 0, 0, 0])),
        "norm_momentum": digits(_norm()._mean.item()),
        "norm_momentum_argument": digits(_norm(momentum=0.3)._mean.item()),
        "norm_variance": f"{_norm(momentum=0.0)._variance.item() / 4:.3f} times the biased one",
        "norm_fresh": "training" if _norm()._mean.item() else "evaluation",
        "norm_counted": str(sum(p.size for p in norm.parameters())),
        "eval_returns": "the module" if norm.eval() is norm else "None",
        "conv_init": digits(conv.weight.numpy().std() * (256 * 9) ** 0.5),
        "conv_init_groups": digits(grouped.weight.numpy().std() * (64 * 9) ** 0.5),
        "conv_bias_init": digits(abs(conv.bias.numpy()).max() * (256 * 9) ** 0.5),
        "linear_init": digits(linear.weight.numpy().std() * 32),
        "linear_bias_init": digits(abs(linear.bias.numpy()).max() * 32),
        "leaky_slope": digits(nn.LeakyReLU()(paddle.to_tensor(-1.0)).item()),
        "leaky_gradient": _leaky_gradient(),
        "softmax_axis": _softmax_axis(),
        "gelu": f"{nn.GELU()(paddle.to_tensor(1.0)).item():.5f}",
        "dropout_training": digits(dropout(paddle.ones([1000])).max().item()),
        "dropout_evaluation": digits(disabled(paddle.ones([1])).item()),
        "float64": str(paddle.to_tensor(np.ones(1)).dtype).removeprefix("paddle."),
        "variance": digits(paddle.arange(3, dtype="float32").var().item()),
        "load_missing": _load(),
        "evaluation": _evaluation(),
        "seed": "`paddle.seed(0)`" if np.array_equal(_draw(), _draw()) else "not `paddle.seed(0)`",
        "tf32": f"`paddle.base.core.get_cudnn_switch()` is {paddle.base.core.get_cudnn_switch()}",
        "adamw_decay": described(paddle.optimizer.AdamW, {"": "weight_decay"})[""],
    }
