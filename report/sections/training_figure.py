"""The figure of the report's section on training, as SVG: the same record always gives the same file."""

import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from common.results.training import Oracle, TrainingRecord
from common.results.writing import write_text
from report.sections.training import backends, fits

# Okabe and Ito's colours, which the colour-blind can tell apart; dashes, since the lines lie on one another.
STYLES = (("#0072B2", "-"), ("#E69F00", (0, (5, 2))), ("#009E73", (0, (2, 2))), ("#CC79A7", (0, (1, 3))))
BAND = "#D0D0D0"
FLOOR = 1e-8  # a distance below it is drawn there: a float32 loss near 1 has none smaller
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "convparity",
    "svg.fonttype": "path",  # text looks the same whatever fonts the reader has
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw(record: TrainingRecord, path: Path) -> None:
    """Loss and distance from the oracle by step, a net a column.

    Raises:
        ResultsError: if the file cannot be written.
    """
    styles = dict(zip(backends(record), STYLES, strict=False))
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(9, 5.6), layout="constrained", facecolor="white")
        axes = figure.subplots(2, len(record.oracles), squeeze=False, sharex="row", sharey="row")
        for (above, below), oracle in zip(axes.T, record.oracles, strict=True):
            _curves(above, record, oracle, styles)
            _distances(below, record, oracle, styles)
        axes[0, 0].set_ylabel("training loss (seed 0)")
        axes[1, 0].set_ylabel("distance from the oracle's loss")
        handles, labels = axes[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    write_text(path, text.getvalue())


def _curves(axes: Axes, record: TrainingRecord, oracle: Oracle, styles: dict[str, Any]) -> None:
    exact, allowed = np.array(oracle.losses), np.array(oracle.allowed)
    steps = np.arange(1, len(exact) + 1)
    axes.fill_between(steps, np.maximum(exact - allowed, FLOOR), exact + allowed, color=BAND, linewidth=0)
    for name, fit in fits(record, oracle.net).items():
        color, dashes = styles[name]
        axes.plot(np.arange(1, len(fit.losses) + 1), fit.losses, color=color, linestyle=dashes, linewidth=1)
    axes.set(title=oracle.net, yscale="log", xlabel="step")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _distances(axes: Axes, record: TrainingRecord, oracle: Oracle, styles: dict[str, Any]) -> None:
    steps = np.arange(1, len(oracle.losses) + 1)
    axes.fill_between(steps, oracle.allowed, FLOOR, color=BAND, linewidth=0, label="explained by rounding")
    for name, fit in fits(record, oracle.net).items():
        color, dashes = styles[name]
        distance = np.abs(np.subtract(fit.losses[: len(steps)], oracle.losses))
        axes.plot(steps, np.maximum(distance, FLOOR), color=color, linestyle=dashes, linewidth=1.2, label=name)
    axes.set(yscale="log", xlabel="step", ylim=(FLOOR, None))
