"""The rules for a port that follow from the facts of two frameworks; and the few rows that no test covers."""

from collections.abc import Iterator

from common.port.facts import NOTHING, QUESTIONS, Held
from report.guide.facts import Facts
from report.guide.sources import TITLES

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


# What to say if the answers to a question differ: ``old`` in the source, ``new`` in the target.
RULES = {
    "norm_momentum_argument": "BatchNorm's `momentum`: pass 1 minus the old value.",
    "norm_momentum": "BatchNorm's `momentum` left out: a new value weighs {old} in {source}, {new} in {target}.",
    "norm_variance": "BatchNorm's running variances, on a CPU, differ by n / (n - 1) after training: scale them.",
    "norm_fresh": "The mode of a new network: in {source} {old}; in {target} {new}.",
    "flatten": "Flatten before a linear layer: transpose the map to the other layout first, or permute the weight.",
    "conv_default_padding": "A convolution's padding left out: {old} in {source}, {new} in {target}. Write it.",
    "conv_same_stride_2": '"same" with a stride: {old} in {source}, {new} in {target}. Give numbers. '
    "PaddlePaddle's sets the dilation to 1, too.",
    "conv_int_kernel": "`kernel_size=3` makes a kernel {old} in {source}, {new} in {target}. Write (3, 3).",
    "conv_too_large": "A kernel larger than the map: {old} in {source}, {new} in {target}. Check the size yourself.",
    "pool_stride": "An average pool's stride left out: {old} in {source}, {new} in {target}.",
    "pool_divisor": "An average pool's padding: corners are divided by {old} in {source}, by {new} in {target}.",
    "leaky_gradient": "LeakyReLU's gradient at exactly 0: {old} in {source}, {new} in {target} (slope 0.1).",
    "softmax_axis": "A softmax without an axis, rank 4: over axis {old} in {source}, {new} in {target}.",
    "gelu": "GELU left to its default: GELU(1) is {old} in {source}, {new} in {target}.",
    "conv_init": "Standard deviation (std) of new kernels: {old}/√(fan in) in {source}, {new}/√(fan in) in {target}.",
    "conv_init_groups": "Std of new kernels, 8 groups: {old}/√(fan in) in {source}, {new}/√(fan in) in {target}.",
    "linear_init": "Std of new linear weights, 1024 -> 512: {old}/√1024 in {source}, {new}/√1024 in {target}.",
    "float64": "A float64 array becomes {old} in {source}, {new} in {target}.",
    "variance": "The variance of (0, 1, 2) by default: {old} in {source}, {new} in {target}.",
    "seed": "What makes draws repeat: in {source} {old}; in {target} {new}.",
    "tf32": "Flag by which float32 may be TF32 on NVIDIA GPUs: in {source} {old}; in {target} {new}.",
    "adamw_decay": "AdamW's default: `{old}` in {source}, `{new}` in {target}.",
    "conv_no_bias": "A convolution without bias: {old} in {source}, {new} in {target}.",
    "norm_no_affine": "A BatchNorm without weight and bias: {old} in {source}, {new} in {target}.",
    "load_missing": "Loading a state without one of its arrays: {old} in {source}; {new} in {target}.",
}


def between(source: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The transpose from one framework's array to the other's; both arguments are transposes of the canonical one."""
    return tuple(source.index(axis) for axis in target)


def transpose(source: Held, target: Held) -> str:
    """The same in words."""
    axes = between(source.axes, target.axes)
    return "as it is" if axes == tuple(range(len(axes))) else f"transpose {axes}"


def derived(facts: Facts, source: str, target: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The rules that the facts of two frameworks imply, each after the layers that it concerns (none: any network)."""
    old_facts, new_facts = facts.frameworks[source], facts.frameworks[target]
    kernels = {row.canonical: row for row in old_facts.parameters["mobilenet_v1"]}
    for row in new_facts.parameters["mobilenet_v1"]:
        if row.canonical in ("stem.conv.weight", "linear.weight"):
            layer, arrays = ("Conv2d", "Kernels") if "conv" in row.canonical else ("Linear", "Linear weights")
            yield (layer,), f"{arrays}: {transpose(kernels[row.canonical], row).replace('it is', 'they are')}."
    for key, rule in RULES.items():
        old, new = old_facts.answers[key], new_facts.answers[key]
        if old != new and NOTHING not in (old, new):
            text = rule.format(old=old, new=new, source=TITLES[source], target=TITLES[target])
            yield QUESTIONS[key].layers, text
