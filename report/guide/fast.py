"""docs/fast/: how to make separable convolutions fast on a CPU, each step with what it gained in the recorded runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from common.bench import statistics
from common.config import Config
from common.processes.settings import KEEPING
from common.results.record import RunRecord, load
from report.guide.page import code, page, run
from report.guide.sources import ROOT, TITLES
from report.sections import timing_tables as timing
from report.sections import tuning
from report.sections.tables import markdown, milliseconds

SWEEPS = ROOT / "report" / "sweeps"


@dataclass(frozen=True)
class Step:
    """What to change, why, and how; the configurations of the sweep ``steps_<framework>`` are these, in order."""

    title: str
    why: str
    how: str
    language: str = "python"


ALLOCATOR = Step(
    "Keep the memory",
    "glibc gives a large array back to the system when it is freed, and the next one of its size is faulted in again, "
    "page by page: for maps of megabytes that can take longer than the arithmetic. Told so before the process starts, "
    "it keeps what it has, in huge pages.",
    "\n".join(f"export {name}={value}" for name, value in KEEPING.items()),
    "sh",
)

STEPS: dict[str, list[Step]] = {
    "torch": [
        ALLOCATOR,
        Step(
            "Channels last",
            "oneDNN's convolutions work on blocks of channels; in NHWC memory their maps need no reordering, and a "
            "pointwise convolution is a product of matrices. Shapes stay NCHW. This is the step for training, too.",
            "module = module.to(memory_format=torch.channels_last)\n"
            "y = module(x.to(memory_format=torch.channels_last))",
        ),
        Step(
            "Fold the norms",
            "In evaluation a norm is a scale and a shift a channel, which the convolution before it can take: one pass "
            "over every map less. For inference only.",
            'from frameworks.torch.tuned import fold\n\nmodule = fold(module, [("stem.conv", "stem.norm"), ...])',
        ),
        Step(
            "Compile, with frozen weights",
            "`torch.compile` fuses what stands between convolutions. With weights that are constants, activations "
            "become part of oneDNN's convolutions too, and its own order of each weight is found once instead of at "
            "every call. The first call takes as long as the report says, once for each shape.",
            "from frameworks.torch.tuned import frozen\n\nrun = frozen(module, x)\ny = run(x)",
        ),
    ],
    "paddle": [
        Step(
            "Threads",
            "Paddle sets `OMP_NUM_THREADS` to 1 when it is imported, unless it is set.",
            "export OMP_NUM_THREADS=$(nproc)",
            "sh",
        ),
        ALLOCATOR,
        Step(
            "A static graph alone",
            "`paddle.jit.to_static` runs the same kernels: it is here to be seen to be no answer.",
            "layer = paddle.jit.to_static(layer)",
        ),
        Step(
            "Paddle Inference",
            "Eager Paddle and `to_static` never call oneDNN. Paddle Inference does, and folds norms and activations "
            "into the convolutions. For inference, in float32, one shape a predictor; training stays as it is.",
            "from frameworks.paddle.tuned import predictor\n\nrun = predictor(layer, x.shape)\ny = run(x)  # an array",
        ),
    ],
    "jax": [
        Step(
            "Other formulations",
            "XLA runs a depthwise convolution on one thread of a CPU (jax#23713), and the gradients of grouped ones as "
            "slowly as dense ones (jax#13800). The same sums, written as shifted maps times weights, as a convolution "
            "for each group or as products of matrices, are what XLA is good at. Gradients come with them.",
            "from frameworks.jax.tuned import depthwise_conv, grouped_conv, pointwise_conv, tuned\n\n"
            "y = depthwise_conv(x, kernel, padding=((1, 1), (1, 1)))  # NHWC, and HWIO\n"
            "fast = jax.jit(tuned(apply))  # or any function, as it is: its convolutions are replaced",
        ),
        ALLOCATOR,
    ],
    "flax": [
        Step(
            "Other formulations",
            "Flax's convolutions are JAX's (flax#4207), and its layers take the function that convolves as an "
            "argument. So a layer, a whole module or, in the older API, `apply` gets the faster ones, with its "
            "parameters as they are.",
            "from frameworks.flax.tuned import DepthwiseConv, conv_general_dilated, tuned\n\n"
            "layer = DepthwiseConv(channels, (3, 3), rngs=rngs)  # for nnx.Conv(feature_group_count=channels)\n"
            "layer = nnx.Conv(..., conv_general_dilated=conv_general_dilated, rngs=rngs)\n"
            "module = tuned(module)  # or every nnx.Conv in it",
        ),
        ALLOCATOR,
    ],
}

CODE = {
    "torch": ["torch/tuned/cpu.py"],
    "paddle": ["paddle/tuned/cpu.py"],
    "jax": [f"jax/tuned/{name}.py" for name in ("depthwise", "shifts", "grouped", "pointwise", "cpu")],
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
        "paddle_inference_batch_norm_segfault.py": "and on a norm without scale and shift",
        "paddle_mean.py": "`paddle.mean` of many float32 values on a CPU is off in the fifth digit, or the third",
    },
}


def fast() -> Iterator[tuple[str, str]]:
    """The pages by their path in docs/."""
    training = _load("tuned_training")
    yield "fast/index.md", _index(_load("tuned_networks"), _load("tuned_blocks"), training)
    for name in TITLES:
        yield f"fast/{name}.md", _framework(name, _load(f"steps_{name}"), training)


def _load(name: str) -> RunRecord:
    return load(SWEEPS / f"{name}.json")


def _index(networks: RunRecord, blocks: RunRecord, training: RunRecord) -> str:
    parts = _load("tuned_parts")
    return page(
        "Separable convolutions fast on a CPU",
        "A separable network has a fraction of the multiply-accumulates of its standard twin, and as one first writes "
        "it, little of that arrives as time. What to do about it, step by step, in each framework; all of it is code "
        'of this project (`variant="tuned"`), held to the same checks as the rest. Measured on CPUs only.',
        "\n".join(f"- [{title}]({name}.md)" for name, title in TITLES.items()),
        f"Inference ({_where(networks)}): the reference in a plain process, the tuned variant, and the fastest of two "
        "engines on the exported PyTorch block.",
        markdown(tuning.table(networks)),
        f"## {parts.title}",
        f"{parts.about} ({_where(parts)}.)",
        markdown(tuning.table(parts)),
        "On large maps JAX's and PyTorch's convolutions, each called alone, are as fast as an engine's. In a stack an "
        "engine needs far less than the sum of its convolutions: it need not convert the layout of every map, and has "
        "the norms and activations within its convolutions. So has PyTorch once it is compiled with frozen weights; "
        "JAX has not. On small maps an engine's convolutions are faster, above all the depthwise ones, of which "
        "MobileNetV1 has thirteen: so little work that what a call costs counts too.",
        f"## {blocks.title}",
        f"{blocks.about} ({_where(blocks)}.)",
        markdown(tuning.table(blocks)),
        "## Training",
        f"A training step ({_where(training)}):",
        markdown(tuning.table(training)),
        "## In other programs",
        "It works in programs of others: [linen_mobilenet.py](linen_mobilenet.py) is a MobileNetV1 in Flax's older "
        "API that knows nothing of this project; one line makes it faster, and prints by how much.",
    )


def _where(record: RunRecord) -> str:
    facts = record.environment
    return f"{run(facts)}, {facts['cpu']}, {facts['threads a framework']} threads"


def _framework(name: str, record: RunRecord, training: RunRecord) -> str:
    configs = tuning.configs(record)
    assert configs[0] == Config(name, threads="unset"), f"steps_{name} must begin with a plain process"
    return page(
        f"{TITLES[name]}: separable convolutions fast on a CPU",
        f"Each step is on top of those before it. Times are of inference, in turns ({_where(record)}); brackets are "
        "the intervals of `report/REPORT.md`, which hold together in a table.",
        markdown(tuning.steps(record)),
        *(
            part
            for number, (step, (before, after)) in enumerate(zip(STEPS[name], pairwise(configs), strict=True), 1)
            for part in (
                f"## {number}. {step.title}",
                step.why,
                code(step.how, step.language),
                _gained(record, before, after),
            )
        ),
        "## Training",
        *_trained(name, training),
        *_defects(name),
        "## The code",
        *(
            code(f"# frameworks/{path}\n\n{(ROOT / 'frameworks' / path).read_text('utf-8').strip()}")
            for path in CODE[name]
        ),
    )


def _trained(name: str, training: RunRecord) -> Iterator[str]:
    yield f"A training step, all steps that apply, against the reference in a plain process ({_where(training)}):"
    yield "\n".join(
        f"- {timing.title(gain.tuned.group)}: {milliseconds(gain.reference.median)} to "
        f"{milliseconds(gain.tuned.median)} ms, {gain.times_faster.text}"
        for gain in tuning.gains(training)
        if gain.tuned.backend == name
    )


def _gained(record: RunRecord, before: Config, after: Config) -> str:
    """What one step gained, case by case, in words."""
    noise, parts = statistics.spread(record.measurements), []
    for group in timing.groups(record):
        found = {m.config: m for m in record.measurements if m.group == group}
        if before in found and after in found:
            ratio = statistics.ratio(found[before], found[after], noise, 2 * len(found))
            times = [milliseconds(found[config].median) for config in (before, after)]
            parts.append(f"{timing.title(group)} {times[0]} to {times[1]} ms, {ratio.text}")
    return "Gained: " + "; ".join(parts) + "."


def _defects(name: str) -> Iterator[str]:
    if name in DEFECTS:
        yield "## What is wrong upstream"
        yield "\n".join(
            f"- [{file}](../upstream/{file}): {what}. A script of its own, which prints what it finds."
            for file, what in DEFECTS[name].items()
        )
