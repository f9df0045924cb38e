"""The text of docs/fast/ for each step, by the configuration of the sweep ``steps_<framework>`` after the step."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.processes.settings import KEEPING


@dataclass(frozen=True)
class Step:
    """What to change, why, and how."""

    title: str
    why: str
    how: str
    language: str = "python"


ALLOCATOR = Step(
    "Keep the memory",
    "glibc gives a large array back to the system when it is freed, and the next array of that size is faulted in "
    "again, page by page. For maps of megabytes this can take longer than the arithmetic. With these variables, set "
    "before the process starts, glibc keeps its memory, in huge pages.",
    "\n".join(f"export {name}={value}" for name, value in KEEPING.items()),
    "sh",
)

STEPS: dict[str, dict[str, Step]] = {  # by framework, and by the label of the configuration after the step
    "torch": {
        "torch tuned allocator": ALLOCATOR,
        "torch nhwc tuned allocator": Step(
            "Channels last",
            "oneDNN's convolutions work on blocks of channels. In NHWC memory their maps need no reordering, and a "
            "pointwise convolution is a product of matrices. Shapes stay NCHW. This step is for training, too.",
            "module = module.to(memory_format=torch.channels_last)\n"
            "y = module(x.to(memory_format=torch.channels_last))",
        ),
        "torch tuned eager": Step(
            "Fold the norms",
            "In evaluation a norm is a scale and a shift for each channel. They can become part of the convolution "
            "before it, which saves one pass over every map. For inference only. `fold` finds the pairs by `torch.fx`, "
            "also where a norm has its activation inside, as in timm. What it cannot fold stays. It also takes pairs.",
            "from convparity_fast.torch.tuned import fold\n\nmodule = fold(module)",
        ),
        "torch tuned": Step(
            "Compile, with frozen weights",
            "`torch.compile` fuses the layers between convolutions. If the weights are constants, activations become "
            "part of oneDNN's convolutions too, and oneDNN reorders each weight once instead of at every call. The "
            "first call compiles, once for each shape; the report says how long it takes.",
            "from convparity_fast.torch.tuned import frozen\n\nrun = frozen(module, x)\ny = run(x)",
        ),
    },
    "paddle": {
        "paddle": Step(
            "Threads",
            "Paddle sets `OMP_NUM_THREADS` to 1 when it is imported, unless the variable is set already.",
            "export OMP_NUM_THREADS=$(nproc)",
            "sh",
        ),
        "paddle tuned allocator": ALLOCATOR,
        "paddle compiled tuned allocator": Step(
            "A static graph alone",
            "`paddle.jit.to_static` runs the same kernels. This step shows that it is not enough.",
            "layer = paddle.jit.to_static(layer)",
        ),
        "paddle tuned": Step(
            "Paddle Inference",
            "Eager Paddle and `to_static` never call oneDNN. Paddle Inference does, and folds norms and activations "
            "into the convolutions. For inference only, in float32, with one predictor for each shape.",
            "from convparity_fast.paddle.tuned import predictor\n\n"
            "run = predictor(layer, x.shape)\ny = run(x)  # an array",
        ),
    },
    "jax": {
        "jax tuned default allocator": Step(
            "Other formulations",
            "XLA runs a depthwise convolution on one thread of a CPU (jax#23713), and the gradients of grouped ones as "
            "slowly as those of dense ones (jax#13800). XLA is fast at the same sums in other forms: shifted maps "
            "times weights, one convolution for each group, or products of matrices. Derivatives have forms of their "
            "own. `tuned` finds the convolutions in loops, branches and inner `jax.jit` too, and leaves to XLA what it "
            "would make slower; `explain` says which, and why. For another device a program stays as it is.",
            "from convparity_fast.jax.tuned import depthwise_conv, explain, grouped_conv, pointwise_conv, tuned\n\n"
            "y = depthwise_conv(x, kernel, padding=((1, 1), (1, 1)))  # NHWC, and HWIO\n"
            "fast = jax.jit(tuned(apply))  # or any function, as it is: its convolutions are replaced\n"
            'print(*explain(apply, params, x), sep="\\n")  # each convolution: its form, or why it has none',
        ),
        "jax tuned": ALLOCATOR,
    },
    "flax": {
        "flax tuned default allocator": Step(
            "Other formulations",
            "Flax's convolutions are JAX's (flax#4207), and its layers take the function that convolves as an "
            "argument. So a layer, a whole module or, in the older API, `apply` can use the faster ones. The "
            "parameters stay as they are.",
            "from convparity_fast.flax.tuned import DepthwiseConv, conv_general_dilated, tuned\n\n"
            "layer = DepthwiseConv(channels, (3, 3), rngs=rngs)  # for nnx.Conv(feature_group_count=channels)\n"
            "layer = nnx.Conv(channels, 4, (3, 3), conv_general_dilated=conv_general_dilated, rngs=rngs)\n"
            "module = tuned(module)  # or every nnx.Conv in it",
        ),
        "flax tuned": ALLOCATOR,
    },
}


CODE = {
    "torch": ["torch/tuned/cpu.py", "torch/tuned/folding.py"],
    "paddle": ["paddle/tuned/cpu.py"],
    "jax": [
        f"jax/tuned/{name}.py"
        for name in ("depthwise", "shifts", "grouped", "pointwise", "cpu", "convolution", "functions", "explained")
    ],
    "flax": ["flax/tuned/cpu.py"],
}

DEFECTS = {
    "torch": {
        "torch_freezing_float64.py": "`torch.compile` with frozen weights fails on a convolution in float64",
    },
    "jax": {
        "jax_depthwise_one_thread.py": "a depthwise convolution on a CPU runs on one thread, and many times slower "
        "than the same sum of shifted maps",
        "jax_grouped_gradient.py": "the gradient of a grouped convolution takes longer the more groups there are",
    },
    "paddle": {
        "paddle_inference_pir_onednn_segfault.py": "Paddle Inference with oneDNN ends the process on a convolution "
        "with LeakyReLU",
        "paddle_inference_batch_norm_segfault.py": "Paddle Inference ends the process on a norm "
        "without scale and shift",
        "paddle_mean.py": "`paddle.mean` of many float32 values on a CPU is wrong in the fifth digit, or in the third",
    },
}


def in_order(name: str, labels: Sequence[str]) -> list[Step]:
    """The step to each configuration of a framework after the first, which is a plain process.

    Raises:
        ValueError: if a configuration has no step, or a step no configuration.
    """
    first, *rest = labels
    if first != f"{name} threads unset":
        raise ValueError(f"steps_{name} begins with `{first}`; it must begin with `{name} threads unset`")
    if differing := set(rest) ^ STEPS[name].keys():
        raise ValueError(f"`{min(differing)}` is not both in steps_{name} and in STEPS of {__name__}")
    return [STEPS[name][label] for label in rest]
