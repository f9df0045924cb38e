"""A section of docs/fast/index.md: times that do not follow the operations, in the report and in threads."""

from collections.abc import Iterator

from common.bench.analysis import Analysis
from common.results.record import RunRecord
from report.guide.page import about
from report.guide.pitfall_pages import thread
from report.guide.sources import TITLES
from report.sections.separable import savings
from report.text import Table, markdown, milliseconds, number

THREADS = {
    "https://github.com/jax-ml/jax/issues/23713": "depthwise convolutions of Flax against PyTorch and TensorFlow",
    "https://github.com/google/flax/issues/4207": "the same; its kernel has [one axis](../pitfalls/kernel_size_int.md)",
    "https://github.com/pytorch/pytorch/issues/157334": "the opposite on a GPU: PyTorch is slower than JAX",
    "https://github.com/pytorch/pytorch/issues/13716": "depthwise convolutions of PyTorch on a CPU",
    "https://github.com/pytorch/pytorch/issues/18631": "the same on a GPU; its first numbers were taken without "
    "waiting for the GPU, and the order is reversed if one waits",
    "https://github.com/jax-ml/jax/issues/13800": "gradients of grouped convolutions in JAX",
    "https://github.com/iamhankai/ghostnet.pytorch/issues/32": "GhostModules in place of convolutions are slower",
}


def speed(record: RunRecord) -> Iterator[str]:
    """Its paragraphs; ``record`` is the report's."""
    timed = {(m.case, m.config.label): m for m in record.measurements}
    full, thin = "standard_conv-c128-1x128x56x56", "depthwise_conv-c128-1x128x56x56"
    macs = {c.case: c.macs for c in record.costs}
    rows = [
        [TITLES[name], *(milliseconds(timed[case, name].median) for case in (full, thin))]
        for name in TITLES
        if (full, name) in timed and (thin, name) in timed
    ]
    by_block = {c.block: c.macs for c in record.costs}
    fewer = by_block["conv_stack"] / by_block["separable_stack"]
    stacks = [[TITLES[s.backend], s.input_shape, s.ratio.short] for s in savings(Analysis(record))]
    yield "## Fewer operations are not always less time"
    yield (
        f"From the report ({about('checks')}), which also has the spread and the raw samples. Median milliseconds of a "
        f"forward pass, 128 channels on 56 x 56: a full convolution ({number(macs[full])} multiply-accumulates, MACs) "
        f"and a depthwise one ({number(macs[thin])} MACs), both as a user first writes them."
    )
    yield markdown(Table(["", "full", "depthwise"], rows))
    if stacks:
        yield (
            f"The standard stack's time over the separable stack's, which has {fewer:.1f} times fewer MACs; below 1 "
            "the separable stack is slower:"
        )
        yield markdown(Table(["", "input", "standard over separable"], stacks))
    yield "Reports of people who saw this:"
    yield "\n".join(f"- [{thread(url)}]({url}): {subject}" for url, subject in THREADS.items())
