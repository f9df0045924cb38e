"""docs/fast/: how to make separable convolutions fast on a CPU, and what each step gained in the recorded runs."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from common.bench.analysis import Analysis
from common.config import Config
from common.results.record import RunRecord, load
from report.guide.fast_steps import CODE, DEFECTS, Step, in_order
from report.guide.page import about, code, page
from report.guide.sources import TITLES
from report.guide.speed import speed
from report.paths import HERE, ROOT, SWEEPS
from report.sections import timing_tables as timing
from report.sections import tuning
from report.text import markdown, milliseconds

RUN = about("sweeps")
OTHERS = (
    "- PyTorch: `run = frozen(module, x)`. The first call compiles, once for each shape of the input, and needs a C++ "
    "compiler. The weights are copied. Gradients are not available.",
    "- Paddle: `run = predictor(layer, x.shape)`. It is for one shape, in float32. It writes the layer to a temporary "
    "folder and holds a copy of the weights. The next call may write over its output.",
    "- JAX and Flax: `fast = jax.jit(tuned(apply))`. It takes and returns what `apply` does, and may be "
    "differentiated. Compiling a MobileNet takes up to twice the processor time.",
)


def fast(record: RunRecord) -> Iterator[tuple[str, str]]:
    """The pages by their path in docs/; ``record`` is the report's."""
    training = _load("tuned_training")
    yield "fast/index.md", _index(_load("tuned_networks"), _load("tuned_blocks"), training, record)
    for name in TITLES:
        yield f"fast/{name}.md", _framework(name, _load(f"steps_{name}"), training)
        yield f"fast/{name}_code.md", _code(name)


def _load(name: str) -> Analysis:
    return Analysis(load(HERE / SWEEPS / f"{name}.json"))


def _index(networks: Analysis, blocks: Analysis, training: Analysis, record: RunRecord) -> str:
    parts = _load("tuned_parts")
    return page(
        "Separable convolutions fast on a CPU",
        "A separable network needs a fraction of the multiply-accumulates of its standard twin, but as a user first "
        "writes it, little of the saving shows in the time. These pages say what to do about it, step by step, in each "
        'framework. All of the code is part of this project (`variant="tuned"`) and passes the same checks as the '
        "rest. All times are from CPUs.",
        "\n".join(f"- [{title}]({name}.md)" for name, title in TITLES.items()),
        "What these pages import installs by itself, from a checkout, and requires the framework alone: "
        "`pip install ./frameworks/jax/tuned` (with `[flax]` behind it for Flax), or the same of torch or paddle. The "
        "import name of all is `convparity_fast`.",
        f"Inference ({RUN}): the reference in a plain process, the tuned variant, and the fastest of two "
        "engines on the exported PyTorch block. *Of the bound*: an estimate of the least time of a direct convolution, "
        "by this machine's peaks, over the time before and after. Winograd's algorithm may pass 100%.",
        markdown(tuning.table(networks)),
        f"## {parts.record.title}",
        f"{parts.record.about} ({RUN}.)",
        markdown(tuning.table(parts)),
        "On large maps JAX's and PyTorch's convolutions, each called alone, are as fast as an engine's. In a stack an "
        "engine takes far less time than the sum of its convolutions: it does not convert the layout of every map, and "
        "it computes norms and activations within its convolutions. PyTorch does so too when it is compiled with "
        "frozen weights; JAX does not. On small maps an engine's convolutions are faster, above all the depthwise "
        "ones. MobileNetV1 has thirteen of these, with so little work that the cost of a call counts too.",
        f"## {blocks.record.title}",
        f"{blocks.record.about} ({RUN}.)",
        markdown(tuning.table(blocks)),
        "## Training",
        f"A training step ({RUN}):",
        markdown(tuning.table(training)),
        "## In other programs",
        "For any network, in evaluation unless JAX differentiates it:",
        "\n".join(OTHERS),
        "The tuned convolutions also work in other programs: [linen_mobilenet.py](linen_mobilenet.py) is a MobileNetV1 "
        "in Flax's older API, written without this project. One added line makes it faster, and it prints by how much.",
        speed(record),
    )


def _framework(name: str, steps: Analysis, training: Analysis) -> str:
    configs = tuning.configs(steps)
    explained = in_order(name, [config.label for config in configs])
    return page(
        f"{TITLES[name]}: separable convolutions fast on a CPU",
        f"Each step is added to the steps before it. Times are of inference; the configurations took turns ({RUN}). "
        "Brackets show intervals as in `report/REPORT.md`; all intervals of a table hold together.",
        markdown(tuning.steps(steps)),
        _steps(steps, explained, configs),
        "## Training",
        *_trained(name, training),
        *_defects(name),
        f"[The code of these steps]({name}_code.md)",
    )


def _code(name: str) -> str:
    files = [ROOT / "frameworks" / path for path in CODE[name]]
    return page(
        f"{TITLES[name]}: the code that is fast on a CPU",
        f"[How to use it]({name}.md)",
        [f"## {file.relative_to(ROOT)}\n\n{code(file.read_text('utf-8').strip())}" for file in files],
    )


def _trained(name: str, training: Analysis) -> Iterator[str]:
    yield f"A training step: all changes that apply, compared with the reference in a plain process ({RUN}):"
    yield "\n".join(
        f"- {timing.title(gain.tuned.group)}: {milliseconds(gain.reference.median)} to "
        f"{milliseconds(gain.tuned.median)} ms, {gain.times_faster.text}"
        for gain in tuning.gains(training)
        if gain.tuned.backend == name
    )


def _steps(steps: Analysis, explained: Sequence[Step], configs: Sequence[Config]) -> Iterator[str]:
    """Those that gained something have a number."""
    number = 0
    for step, (before, after) in zip(explained, pairwise(configs), strict=True):
        gained, said = _gained(steps, before, after)
        number += gained
        yield f"## {number}. {step.title}" if gained else f"## No gain shown: {step.title[0].lower()}{step.title[1:]}"
        yield step.why
        yield code(step.how, step.language)
        yield said


def _gained(steps: Analysis, before: Config, after: Config) -> tuple[bool, str]:
    """Whether one step gained anything, and what, case by case, in words."""
    parts, gained = [], False
    for group, table in steps.tables.items():
        by_config = {m.config: m for m in table}
        if before in by_config and after in by_config:
            ratio = steps.ratio(by_config[before], by_config[after], 2 * len(by_config))
            times = [milliseconds(by_config[config].median) for config in (before, after)]
            parts.append(f"{timing.title(group)} {times[0]} to {times[1]} ms, {ratio.text}")
            gained |= ratio.called and ratio.value > 1
    return gained, f"{'Gained' if gained else 'Measured'}: {'; '.join(parts)}."


def _defects(name: str) -> Iterator[str]:
    if name in DEFECTS:
        yield "## What is wrong upstream"
        yield "\n".join(
            f"- [{file}](../upstream/{file}): {defect}. A stand-alone script that prints what happens."
            for file, defect in DEFECTS[name].items()
        )
