"""What follows from two frameworks' facts for a port from the one to the other; and the little that is only prose."""

from collections.abc import Iterator

from common.facts import Held
from report.guide.facts import FrameworkFacts

# Not tested: how a thing is said, where nothing can be run without the hardware or the whole program.
PROSE = {
    "switch to evaluation": {
        "torch": "`model.eval()`",
        "paddle": "`model.eval()`",
        "jax": "the argument `train=False` of the function",
        "flax": "`model.eval()`; compiled functions must be given the switched module",
    },
    "random numbers": {
        "torch": "one global generator: `torch.manual_seed(0)`",
        "paddle": "one global generator: `paddle.seed(0)`",
        "jax": "a key that you pass and split: `jax.random.key(0)`",
        "flax": "streams in the module: `rngs=nnx.Rngs(0)`",
    },
    "device": {
        "torch": 'the CPU unless moved: `model.to("cuda")`',
        "paddle": "the accelerator if there is one; `paddle.set_device` changes it",
        "jax": "the accelerator if there is one; `jax.device_put` moves",
        "flax": "as JAX",
    },
    "float32 on NVIDIA GPUs": {
        "torch": "convolutions may use TF32: `torch.backends.cudnn.allow_tf32`",
        "paddle": "convolutions may use TF32: `NVIDIA_TF32_OVERRIDE=0` switches it off",
        "jax": 'TF32 or less by default: `jax.default_matmul_precision("float32")`',
        "flax": "as JAX",
    },
    "compiling": {
        "torch": "eager; `torch.compile` is optional",
        "paddle": "eager; `paddle.jit.to_static` is optional",
        "jax": "`jax.jit`: without it every operation is dispatched alone",
        "flax": "`nnx.jit`, or `jax.jit` of the split module, which costs less a call",
    },
}


def between(source: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """The transpose from one framework's array to the other's, each given as a transpose of the canonical one."""
    return tuple(source.index(axis) for axis in target)


def transpose(source: Held, target: Held) -> str:
    """The same in words."""
    axes = between(source.axes, target.axes)
    return "as it is" if axes == tuple(range(len(axes))) else f"transpose {axes}"


def derived(source: FrameworkFacts, target: FrameworkFacts) -> Iterator[str]:
    """Rules that the measured facts of the two imply."""
    a, b = source.answers, target.answers

    def differs(key: str) -> bool:
        return a[key] != b[key] and "–" not in (a[key], b[key])

    kernels = {row.canonical: row for row in source.parameters["mobilenet_v1"]}
    for row in target.parameters["mobilenet_v1"]:
        if row.canonical in ("stem.conv.weight", "linear.weight"):
            what = "Kernels" if "conv" in row.canonical else "Linear weights"
            yield f"{what}: {transpose(kernels[row.canonical], row)}."
    if differs("norm_momentum_argument"):
        yield "BatchNorm's `momentum`: pass 1 minus the old one."
    if differs("norm_momentum"):
        there, here = a["norm_momentum"], b["norm_momentum"]
        yield f"BatchNorm's `momentum` left out: a new value weighs {there} there, {here} here."
    if differs("norm_variance"):
        yield "BatchNorm's running variance: n / (n - 1) apart after training; scale it, or expect it to differ."
    if differs("flatten"):
        yield "Flatten before a linear layer: transpose the map to the other layout first, or permute the weight."
    if differs("conv_default_padding"):
        there, here = a["conv_default_padding"], b["conv_default_padding"]
        yield f"A convolution's padding left out: {there} there, {here} here. Write it."
    if differs("conv_same_stride_2"):
        there, here = a["conv_same_stride_2"], b["conv_same_stride_2"]
        yield f'"same" with a stride: {there} there, {here} here. Give numbers.'
    if differs("conv_int_kernel"):
        yield f"`kernel_size=3`: a kernel {a['conv_int_kernel']} there, {b['conv_int_kernel']} here. Write (3, 3)."
    if differs("pool_stride"):
        yield f"An average pool's stride left out: {a['pool_stride']} there, {b['pool_stride']} here."
    if differs("pool_divisor"):
        yield f"An average pool's padding: corners divided by {a['pool_divisor']} there, {b['pool_divisor']} here."
    if differs("leaky_gradient"):
        yield f"LeakyReLU's gradient at exactly 0: {a['leaky_gradient']} there, {b['leaky_gradient']} here (slope 0.1)."
    if differs("gelu"):
        yield f"GELU left to its default: GELU(1) is {a['gelu']} there, {b['gelu']} here."
    if differs("conv_init"):
        yield f"New kernels: {a['conv_init']}/√fan in wide there, {b['conv_init']}/√fan in here."
    if differs("linear_init"):
        yield f"New linear weights of 1024 -> 512: {a['linear_init']}/√in wide there, {b['linear_init']}/√in here."
    if differs("float64"):
        yield f"A float64 array becomes {a['float64']} there, {b['float64']} here."
    if differs("variance"):
        yield f"The variance of (0, 1, 2) by default: {a['variance']} there, {b['variance']} here."
    if differs("adamw_decay"):
        yield f"AdamW's default: `{a['adamw_decay']}` there, `{b['adamw_decay']}` here."
    if differs("load_missing"):
        yield f"Loading a state in which an array is missing: {a['load_missing']} there, {b['load_missing']} here."
