"""What follows from two frameworks' facts for a port from the one to the other; and the little that is only prose."""

from collections.abc import Iterator

from common.port.facts import NOTHING, QUESTIONS, Held
from report.guide.facts import FrameworkFacts

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
        "flax": "`nnx.jit`, or `jax.jit` of the split module, which costs less a call",
    },
}


# What to say where the answers to a question differ.
RULES = {
    "norm_momentum_argument": "BatchNorm's `momentum`: pass 1 minus the old one.",
    "norm_momentum": "BatchNorm's `momentum` left out: a new value weighs {there} there, {here} here.",
    "norm_variance": "BatchNorm's running variance: n / (n - 1) apart after training; scale it, or let it differ.",
    "norm_fresh": "The mode of a new network: {there} there, {here} here.",
    "flatten": "Flatten before a linear layer: transpose the map to the other layout first, or permute the weight.",
    "conv_default_padding": "A convolution's padding left out: {there} there, {here} here. Write it.",
    "conv_same_stride_2": '"same" with a stride: {there} there, {here} here. Give numbers.',
    "conv_int_kernel": "`kernel_size=3`: a kernel {there} there, {here} here. Write (3, 3).",
    "conv_too_large": "A kernel larger than the map: {there} there, {here} here.",
    "pool_stride": "An average pool's stride left out: {there} there, {here} here.",
    "pool_divisor": "An average pool's padding: corners are divided by {there} there, by {here} here.",
    "leaky_gradient": "LeakyReLU's gradient at exactly 0: {there} there, {here} here (slope 0.1).",
    "softmax_axis": "A softmax without an axis, rank 4: over axis {there} there, {here} here.",
    "gelu": "GELU left to its default: GELU(1) is {there} there, {here} here.",
    "conv_init": "New kernels: {there}/√fan in wide there, {here}/√fan in here.",
    "conv_init_groups": "New kernels of 8 groups: {there}/√fan in wide there, {here}/√fan in here.",
    "linear_init": "New linear weights of 1024 -> 512: {there}/√in wide there, {here}/√in here.",
    "float64": "A float64 array becomes {there} there, {here} here.",
    "variance": "The variance of (0, 1, 2) by default: {there} there, {here} here.",
    "seed": "Draws repeat by {there} there, by {here} here.",
    "tf32": "float32 on NVIDIA GPUs: {there} there; {here} here.",
    "adamw_decay": "AdamW's default: `{there}` there, `{here}` here.",
    "load_missing": "Loading a state in which an array is missing: {there} there, {here} here.",
}


def between(source: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The transpose from one framework's array to the other's, each given as a transpose of the canonical one."""
    return tuple(source.index(axis) for axis in target)


def transpose(source: Held, target: Held) -> str:
    """The same in words."""
    axes = between(source.axes, target.axes)
    return "as it is" if axes == tuple(range(len(axes))) else f"transpose {axes}"


def derived(source: FrameworkFacts, target: FrameworkFacts) -> Iterator[tuple[tuple[str, ...], str]]:
    """Rules that the measured facts of the two imply, each after the layers that it concerns (none: any network)."""
    kernels = {row.canonical: row for row in source.parameters["mobilenet_v1"]}
    for row in target.parameters["mobilenet_v1"]:
        if row.canonical in ("stem.conv.weight", "linear.weight"):
            layer, what = ("Conv2d", "Kernels") if "conv" in row.canonical else ("Linear", "Linear weights")
            yield (layer,), f"{what}: {transpose(kernels[row.canonical], row).replace('it is', 'they are')}."
    for key, rule in RULES.items():
        there, here = source.answers[key], target.answers[key]
        if there != here and NOTHING not in (there, here):
            yield QUESTIONS[key].layers, rule.format(there=there, here=here)
