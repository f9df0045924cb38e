"""The defaults of a framework: the questions, which its ``facts.py`` answers by running the framework.

An answer is short text, the same on every machine and in every run: random numbers are drawn often enough for the
digits that are shown.
"""

import inspect
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from common.spec.params import Arrays


class Answers(Protocol):
    """A framework's ``facts`` module: what it says when it is run."""

    def arguments(self) -> dict[str, dict[str, str]]:
        """How it calls each of `ARGUMENTS`, and its default, by layer."""
        ...

    def answers(self) -> dict[str, str]:
        """By key of `QUESTIONS`."""
        ...

    def held(self, native: Any) -> Arrays:
        """Every array of a built block, by the name and in the layout that the framework has for it."""
        ...


@dataclass(frozen=True)
class Question:
    """A row of the tables: what is asked, under which topic, and which layers of the vocabulary it concerns."""

    label: str
    topic: str
    layers: tuple[str, ...] = ()


_NUMBER = re.compile(r"(?<=[.\[])\d+(?=[.\]])")  # blocks.3.conv, ['blocks'][3]['conv']
CONV, NORM, LINEAR = ("Conv2d",), ("BatchNorm2d",), ("Linear",)
NOTHING = "–"  # the framework has no such layer or switch
QUESTIONS = {
    "activations": Question("layout that convolutions take", "layouts", CONV),
    "conv_kernel": Question("kernel of 6 -> 10 channels, 3 x 5", "layouts", CONV),
    "depthwise_kernel": Question("depthwise kernel of 6 channels, multiplier 2, 3 x 5", "layouts", CONV),
    "linear_weight": Question("weight of a linear layer 4 -> 7", "layouts", LINEAR),
    "flatten": Question("where a flatten of 2 channels, 3 x 4, puts channel 1, row 0, column 2", "layouts", LINEAR),
    "conv_names": Question("names in a convolution", "names", CONV),
    "norm_names": Question("names in a BatchNorm", "names", NORM),
    "conv_no_bias": Question("what leaves out the bias of a convolution", "names", CONV),
    "norm_no_affine": Question("what leaves out the weight and bias of a BatchNorm", "names", NORM),
    "conv_int_kernel": Question("kernel that `kernel_size=3` makes", "padding and windows", CONV),
    "conv_default_padding": Question("zeros that a convolution adds by default", "padding and windows", CONV),
    "conv_same_stride_2": Question('zeros of "same", kernel 3, stride 2, on 8 x 8', "padding and windows", CONV),
    "conv_too_large": Question("kernel 4 on a map of 2 x 2, as NCHW", "padding and windows", CONV),
    "pool_stride": Question("default stride of an average pool of window 2", "padding and windows", ("AvgPool2d",)),
    "pool_divisor": Question(
        "divisor at a corner: window 3, padding 1, by default", "padding and windows", ("AvgPool2d",)
    ),
    "norm_momentum": Question("weight of the new value in the running mean, by default", "BatchNorm", NORM),
    "norm_momentum_argument": Question("weight of the new value for `momentum=0.3`", "BatchNorm", NORM),
    "norm_variance": Question("variance that goes into the running one, n = 12, on a CPU", "BatchNorm", NORM),
    "norm_fresh": Question("mode of a new layer", "BatchNorm", NORM),
    "norm_counted": Question("values counted by the usual call, 3 channels", "BatchNorm", NORM),
    "eval_returns": Question("what `eval()` returns", "BatchNorm", (*NORM, "Dropout")),
    "conv_init": Question("std of a new kernel, times √fan in", "initial values", CONV),
    "conv_init_groups": Question("std of a new kernel of 8 groups, times √fan in", "initial values", CONV),
    "conv_bias_init": Question("largest new bias, times √fan in", "initial values", CONV),
    "linear_init": Question("std of a new linear weight 1024 -> 512, times √1024", "initial values", LINEAR),
    "linear_bias_init": Question("largest new linear bias, times √in", "initial values", LINEAR),
    "leaky_slope": Question("LeakyReLU(-1) by default", "activations", ("LeakyReLU",)),
    "leaky_gradient": Question("gradient of LeakyReLU(0.1) at 0", "activations", ("LeakyReLU",)),
    "softmax_axis": Question("axis of a softmax by default, rank 4", "activations", ("Softmax",)),
    "gelu": Question("GELU(1) by default", "activations"),
    "dropout_training": Question("what dropout 0.5 makes of a 1 that it keeps", "activations", ("Dropout",)),
    "dropout_evaluation": Question("what dropout 0.5 makes of a 1 in evaluation", "activations", ("Dropout",)),
    "float64": Question("dtype that a float64 array becomes", "dtype"),
    "variance": Question("default variance of 0, 1, 2", "dtype"),
    "load_missing": Question("loading a state without the bias", "loading"),
    "evaluation": Question("whether a call in evaluation moves the running mean", "modes and seeds", NORM),
    "seed": Question("what makes draws repeat", "modes and seeds"),
    "tf32": Question("the flag by which float32 may be TF32 on NVIDIA GPUs", "modes and seeds"),
    "adamw_decay": Question("default weight decay of AdamW", "optimisers"),
}

# Layer of the vocabulary: first its arguments, then those that some framework adds.
ARGUMENTS = {
    "Conv2d": (
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "bias",
        "layout",
        "padding mode",
        "initial kernel",
    ),
    "BatchNorm2d": ("num_features", "eps", "momentum", "affine", "layout", "running statistics"),
    "LeakyReLU": ("negative_slope",),
    "AvgPool2d": ("kernel_size", "stride", "padding", "count_include_pad", "ceil mode"),
    "Dropout": ("rate",),
    "Linear": ("in_features", "out_features", "bias", "initial weight"),
    "Softmax": ("axis",),
}


def _shown(value: Any) -> str:
    return "a function" if callable(value) else repr(value)


def described(function: Callable[..., Any], names: Mapping[str, str]) -> dict[str, str]:
    """Each concept's native name and default, as in ``stride=1``, from the signature; a comma separates several names.

    Raises:
        KeyError: for a name that the signature does not have.
    """
    parameters = inspect.signature(function).parameters

    def one(name: str) -> str:
        default = parameters[name].default
        return name if default is inspect.Parameter.empty else f"{name}={_shown(default)}"

    return {concept: ", ".join(one(name) for name in native.split(", ")) for concept, native in names.items()}


def digits(value: Any) -> str:
    """Two significant digits."""
    return f"{float(value):#.2g}"


def sizes(shape: Any) -> str:
    """``[3, 5, 1, 12]``."""
    return str([int(size) for size in shape])


def outcome(function: Callable[[], str]) -> str:
    """What a function returns, or the type of what it raises."""
    try:
        return function()
    except Exception as error:
        return f"raises {type(error).__name__}"


def zeros_added(conv: Callable[[np.ndarray], np.ndarray]) -> str:
    """The padding ``((top, bottom), (left, right))`` of a convolution with a 3 x 3 kernel of ones, from its output."""
    y = conv(np.ones((1, 1, 8, 8), np.float32))[0, 0]
    middle = y[y.shape[0] // 2, y.shape[1] // 2]
    vertical, horizontal = y[:, y.shape[1] // 2] / middle, y[y.shape[0] // 2] / middle
    sides = [tuple(round(3 * (1 - float(line[end]))) for end in (0, -1)) for line in (vertical, horizontal)]
    return str(tuple(sides))


@dataclass(frozen=True)
class Held:
    """Where a framework keeps a canonical array, ``canonical.transpose(axes)``; ``*`` stands for several numbers."""

    canonical: str
    native: str
    shape: str
    axes: tuple[int, ...]


def _axes(array: np.ndarray, native: np.ndarray) -> tuple[int, ...] | None:
    """The order of axes that makes ``native`` of ``array``, or None."""
    orders = itertools.permutations(range(array.ndim)) if sorted(native.shape) == sorted(array.shape) else ()
    return next((axes for axes in orders if np.array_equal(native, array.transpose(axes))), None)


def mapping(canonical: Arrays, native: Arrays) -> list[Held]:
    """Where a framework keeps every canonical array, by its values; repeated blocks are one row, with the first shape.

    Raises:
        ValueError: for a canonical array that equals no native one in any order of its axes.
    """
    rows: dict[tuple[str, str, tuple[int, ...]], Held] = {}
    for name, array in canonical.items():
        matches = ((key, axes) for key, value in native.items() if (axes := _axes(array, value)) is not None)
        key, axes = next(matches, ("", ()))
        if not key:
            raise ValueError(f"`{name}` is held under no name, in no order of its axes")
        pattern, key_pattern = _NUMBER.sub("*", name), _NUMBER.sub("*", key)
        several = " first" if pattern != name else ""
        row = Held(pattern, key_pattern, sizes(native[key].shape) + several, axes)
        rows.setdefault((pattern, key_pattern, axes), row)
    return list(rows.values())
