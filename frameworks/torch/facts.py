"""What PyTorch does by default, measured by running it; the questions are in common/port/facts.py."""

import warnings

import numpy as np
import torch
from torch import nn

from common.port.facts import described, digits, outcome, sizes, zeros_added

ARGUMENTS = {
    "Conv2d": (
        nn.Conv2d,
        {
            "in_channels": "in_channels",
            "out_channels": "out_channels",
            "kernel_size": "kernel_size",
            "stride": "stride",
            "padding": "padding",
            "dilation": "dilation",
            "groups": "groups",
            "bias": "bias",
            "padding mode": "padding_mode",
        },
    ),
    "BatchNorm2d": (
        nn.BatchNorm2d,
        {
            "num_features": "num_features",
            "eps": "eps",
            "momentum": "momentum",
            "affine": "affine",
            "running statistics": "track_running_stats",
        },
    ),
    "LeakyReLU": (nn.LeakyReLU, {"negative_slope": "negative_slope"}),
    "AvgPool2d": (
        nn.AvgPool2d,
        {
            "kernel_size": "kernel_size",
            "stride": "stride",
            "padding": "padding",
            "count_include_pad": "count_include_pad",
            "ceil mode": "ceil_mode",
        },
    ),
    "Dropout": (nn.Dropout, {"rate": "p"}),
    "Linear": (nn.Linear, {"in_features": "in_features", "out_features": "out_features", "bias": "bias"}),
    "Softmax": (nn.Softmax, {"axis": "dim"}),
}


def arguments() -> dict[str, dict[str, str]]:
    """Names and defaults of the constructors' arguments, by layer and concept."""
    return {layer: described(function, names) for layer, (function, names) in ARGUMENTS.items()}


def held(native: nn.Module) -> dict[str, np.ndarray]:
    """The block's arrays under PyTorch's own names."""
    return {name: value.numpy() for name, value in native.state_dict().items()}


def _padding(**options: object) -> str:
    def conv(x: np.ndarray) -> np.ndarray:
        layer = nn.Conv2d(1, 1, 3, bias=False, **options)  # pyright: ignore[reportArgumentType]
        nn.init.ones_(layer.weight)
        return layer(torch.from_numpy(x)).detach().numpy()

    return outcome(lambda: zeros_added(conv))


def _activations() -> str:
    conv = nn.Conv2d(2, 5, 1)
    return "NCHW" if conv(torch.ones(1, 2, 3, 4)).shape == (1, 5, 3, 4) else "NHWC"


def _flatten() -> str:
    x = torch.zeros(1, 2, 3, 4)
    x[0, 1, 0, 2] = 1
    return str(int(nn.Flatten()(x).argmax()))


def _norm(**options: float) -> nn.BatchNorm2d:
    """A norm after one batch of mean 1 and biased variance 4, of 12 values a channel."""
    norm = nn.BatchNorm2d(1, **options)  # pyright: ignore[reportArgumentType]
    norm(torch.tensor([-1.0, 3.0]).repeat(6).reshape(1, 1, 3, 4))
    return norm


def _there(value: torch.Tensor | None) -> torch.Tensor:
    assert value is not None
    return value


def _evaluation() -> str:
    norm = nn.BatchNorm2d(1).eval()
    norm(torch.ones(1, 1, 2, 2))
    return "yes" if _there(norm.running_mean).item() else "no"


def _draw() -> torch.Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.rand(4)


def _leaky_gradient() -> str:
    x = torch.zeros(1, requires_grad=True)
    nn.LeakyReLU(0.1)(x).backward()
    return digits(_there(x.grad))


def _softmax_axis() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the choice is deprecated
        y = nn.Softmax()(torch.rand(2, 3, 4, 5))
    return next(str(axis) for axis in range(4) if torch.allclose(y.sum(axis), torch.ones(())))


def _load() -> str:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    del state["bias"]
    return outcome(lambda: str(layer.load_state_dict(state)))


def answers() -> dict[str, str]:
    """An answer to every question."""
    conv, grouped, linear = nn.Conv2d(256, 256, 3), nn.Conv2d(512, 512, 3, groups=8), nn.Linear(1024, 512)
    dropped = nn.Dropout(0.5)(torch.ones(1000))
    norm = nn.BatchNorm2d(3)
    return {
        "activations": _activations(),
        "conv_kernel": sizes(nn.Conv2d(6, 10, (3, 5)).weight.shape),
        "depthwise_kernel": sizes(nn.Conv2d(6, 12, (3, 5), groups=6).weight.shape),
        "linear_weight": sizes(nn.Linear(4, 7).weight.shape),
        "flatten": _flatten(),
        "conv_names": ", ".join(conv.state_dict()),
        "norm_names": ", ".join(norm.state_dict()),
        "conv_no_bias": "`bias=False`" if nn.Conv2d(1, 1, 1, bias=False).bias is None else "not `bias=False`",
        "norm_no_affine": "`affine=False`" if nn.BatchNorm2d(1, affine=False).weight is None else "not `affine=False`",
        "conv_int_kernel": sizes(nn.Conv2d(6, 10, 3).weight.shape),
        "conv_default_padding": _padding(),
        "conv_same_stride_2": _padding(stride=2, padding="same"),
        "conv_too_large": outcome(lambda: sizes(nn.Conv2d(1, 1, 4)(torch.ones(1, 1, 2, 2)).shape)),
        "pool_stride": str(6 // nn.AvgPool2d(2)(torch.ones(1, 1, 6, 6)).shape[2]),
        "pool_divisor": str(round(4 / float(nn.AvgPool2d(3, 1, 1)(torch.ones(1, 1, 4, 4))[0, 0, 0, 0]))),
        "norm_momentum": digits(_there(_norm().running_mean)),
        "norm_momentum_argument": digits(_there(_norm(momentum=0.3).running_mean)),
        "norm_variance": f"{_there(_norm(momentum=1.0).running_var).item() / 4:.3f} times the biased one",
        "norm_fresh": "training" if _there(_norm().running_mean) else "evaluation",
        "norm_counted": str(sum(p.numel() for p in norm.parameters())),
        "eval_returns": "the module" if norm.eval() is norm else "None",
        "conv_init": digits(conv.weight.detach().std() * (256 * 9) ** 0.5),
        "conv_init_groups": digits(grouped.weight.detach().std() * (64 * 9) ** 0.5),
        "conv_bias_init": digits(_there(nn.Conv2d(1, 2**16, 1).bias).detach().abs().max()),
        "linear_init": digits(linear.weight.detach().std() * 32),
        "linear_bias_init": digits(nn.Linear(1, 2**16).bias.detach().abs().max()),
        "leaky_slope": digits(nn.LeakyReLU()(torch.tensor(-1.0))),
        "leaky_gradient": _leaky_gradient(),
        "softmax_axis": _softmax_axis(),
        "gelu": f"{float(nn.GELU()(torch.tensor(1.0))):.5f}",
        "dropout_training": digits(dropped.max()),
        "dropout_evaluation": digits(nn.Dropout(0.5).eval()(torch.ones(1))),
        "float64": str(torch.from_numpy(np.ones(1)).dtype).removeprefix("torch."),
        "variance": digits(torch.arange(3.0).var()),
        "load_missing": _load(),
        "evaluation": _evaluation(),
        "seed": "`torch.manual_seed(0)`" if torch.equal(_draw(), _draw()) else "not `torch.manual_seed(0)`",
        "tf32": f"`torch.backends.cudnn.allow_tf32` is {torch.backends.cudnn.allow_tf32}",
        "adamw_decay": described(torch.optim.AdamW, {"": "weight_decay"})[""],
    }
