"""The rules for a port that follow from the facts of two frameworks; and the few rows that no test covers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from common.port.facts import NOTHING, QUESTIONS, Held
from report.guide.facts import Facts
from report.guide.sources import TITLES
from report.text import Table, markdown

TRAINED = "Pass an initialiser if you train from the beginning."

# Not tested: what cannot be run without other hardware or a whole program.
PROSE = {
    "device, with an accelerator": {
        "torch": 'the CPU unless moved: `model.to("cuda")`',
        "paddle": "the accelerator; `paddle.set_device` changes it",
        "jax": "the accelerator; `jax.device_put` moves",
        "flax": "as JAX",
    },
    "compiling": {
        "torch": "eager; `torch.compile` is optional",
        "paddle": "eager; `paddle.jit.to_static` is optional",
        "jax": "`jax.jit`: without it every operation is dispatched alone",
        "flax": "`nnx.jit`, or `jax.jit` of the split module, which costs less per call. `jax.jit` or `jax.grad` of "
        "a module that is not split loses its BatchNorm's statistics",
    },
}


# If the answers to a question differ: what the row is called, and what to do.
RULES = {
    "norm_momentum_argument": ("BatchNorm's `momentum=0.3`: weight of the new value", "Pass 1 minus the old value."),
    "norm_momentum": ("BatchNorm's `momentum` left out: weight of the new value", "Write it."),
    "norm_variance": (
        "BatchNorm's running variance, n = 12, on a CPU",
        "They differ by n / (n - 1) after training: scale them.",
    ),
    "norm_fresh": ("Mode of a new BatchNorm", "Set the mode before every call that counts."),
    "flatten": (
        "A flatten before a linear layer: place of channel 1, row 0, column 2 of 2 x 3 x 4",
        "Transpose the map to the other layout first, or permute the weight.",
    ),
    "conv_default_padding": ("A convolution's padding left out", "Write it."),
    "conv_same_stride_2": (
        'Zeros of "same", kernel 3, stride 2, on 8 x 8',
        "Give numbers. PaddlePaddle's sets the dilation to 1, too.",
    ),
    "conv_int_kernel": ("Kernel of `kernel_size=3`", "Write (3, 3)."),
    "conv_too_large": ("Kernel 4 on a map of 2 x 2, as NCHW", "Check the size yourself."),
    "pool_stride": ("An average pool's stride left out, window 2", "Write it."),
    "pool_divisor": (
        "An average pool's divisor at a corner, window 3, padding 1",
        "Write `count_include_pad`; PaddlePaddle's `exclusive` is its opposite.",
    ),
    "leaky_gradient": ("Gradient of LeakyReLU, slope 0.1, at exactly 0", "Compare gradients away from 0."),
    "softmax_axis": ("Axis of a softmax without one, rank 4", "Write the axis."),
    "gelu": ("GELU(1) by default", "Write `approximate`."),
    "conv_init": ("Standard deviation (std) of new kernels, times √(fan in)", TRAINED),
    "conv_init_groups": ("Std of new kernels, 8 groups, times √(fan in)", TRAINED),
    "linear_init": ("Std of new linear weights, 1024 -> 512, times √1024", TRAINED),
    "float64": ("What a float64 array becomes", "Write the dtype. JAX needs `jax_enable_x64` for float64."),
    "variance": ("Variance of (0, 1, 2) by default", "Write `correction`, `unbiased` or `ddof`."),
    "seed": ("What makes draws repeat", "Copy arrays: equal seeds draw other numbers."),
    "tf32": ("Flag by which float32 may be TF32 on NVIDIA GPUs", "Switch it off in both, or compare on a CPU."),
    "adamw_decay": ("AdamW's decay left out", "Write it."),
    "conv_no_bias": ("A convolution without bias", "Rename the argument."),
    "norm_no_affine": ("A BatchNorm without weight and bias", "Rename the arguments."),
    "load_missing": ("Loading a state without one of its arrays", "Compare the names yourself."),
}


@dataclass(frozen=True)
class Rule:
    """A row of a pair: ``what``, in the source, in the target, what to ``do``; no ``layers``: of any network."""

    layers: tuple[str, ...]
    what: str
    old: str
    new: str
    do: str


def between(source: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The transpose from one framework's array to the other's; both arguments are transposes of the canonical one."""
    return tuple(source.index(axis) for axis in target)


def transpose(source: Held, target: Held) -> str:
    """The same in words."""
    axes = between(source.axes, target.axes)
    return "as it is" if axes == tuple(range(len(axes))) else f"transpose {axes}"


def derived(facts: Facts, source: str, target: str) -> Iterator[Rule]:
    """The rules that the facts of two frameworks imply."""
    old_facts, new_facts = facts.frameworks[source], facts.frameworks[target]
    kernels = {row.canonical: row for row in old_facts.parameters["mobilenet_v1"]}
    for row in new_facts.parameters["mobilenet_v1"]:
        if row.canonical in ("stem.conv.weight", "linear.weight"):
            layer, arrays = ("Conv2d", "Kernels") if "conv" in row.canonical else ("Linear", "Linear weights")
            old = kernels[row.canonical]
            do = (
                transpose(old, row).replace("as it is", "Copy them as they are").replace("transpose", "Transpose") + "."
            )
            yield Rule((layer,), arrays, f"`{old.native}`", f"`{row.native}`", do)
    for key, (what, do) in RULES.items():
        old, new = old_facts.answers[key], new_facts.answers[key]
        if old != new and NOTHING not in (old, new):
            yield Rule(QUESTIONS[key].layers, what, old, new, do)


def table(rules: Iterable[Rule], source: str, target: str) -> str:
    """The rules as Markdown."""
    rows = [[rule.what, rule.old, rule.new, rule.do] for rule in rules]
    return markdown(Table(["", TITLES[source], TITLES[target], "do"], rows))
