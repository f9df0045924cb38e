"""The section on whether the frameworks agree with the reference: pure functions from a RunRecord."""

import itertools
from collections.abc import Iterator

import numpy as np

from common.results.record import CheckResult, RunRecord
from report.text import Table, markdown, unique


def agreement_section(record: RunRecord) -> Iterator[str]:
    """Which blocks agree in which framework, by what margin, and what does not."""
    yield "## Do they agree?"
    yield (
        "Each framework's block is built. Its output shape and its arrays (names, shapes, values, which are trained) "
        "are compared with the spec. Its output, on random numbers and on photographs, is compared with a float64 "
        "NumPy reference. All but the largest cases are also trained, with dropout at rate 0: the output in training "
        "mode, every gradient, the running statistics, and every array after each of three steps of SGD (momentum, "
        "weight decay) and of Adam are compared too. A cell says how many cases agree, and the smallest *margin*: how "
        "many times larger the error could have been at the worst element. The allowance is derived from float32's "
        "rounding in each layer (`common/oracle/rounding.py`, `common/oracle/training_rounding.py`). It does not "
        "depend on what a framework returned."
    )
    if any(result.level == "use" for result in record.checks):
        yield (
            "Each block is also used as people use it: called again with other arrays, evaluated after training and "
            "trained again after that. No call may write into its input, every array has the dtype asked for, and "
            "dropout drops its share of the values and scales the rest."
        )
    yield markdown(agreement(record))
    yield (
        "How the margins of all comparisons are spread. A comparison with a margin above 1 passes. Below 2 it passed "
        "narrowly. Above 1000 an error could hide."
    )
    yield markdown(margins(record))
    if failed := failures(record):
        yield "What disagrees:"
        yield "\n".join(f"- {result.message}" for result in failed)
    if repeated := unique(r.case for r in record.checks if r.case.endswith("_float64")):
        yield (
            "Rounding in float32 could hide a mistake of 1 % in the training of a few cases. These are checked in "
            "float64 too, where it cannot: " + ", ".join(f"`{case}`" for case in repeated) + "."
        )
    declared = {(r.backend, r.input) for r in record.checks if r.level == "known_differences" and r.passed}
    if declared:
        yield (
            "Known differences, each declared with its cause and a link in "
            "`frameworks/<name>/known_differences.toml`. Each of them occurred, and follows exactly the relation that "
            "its row gives: " + ", ".join(f"{name} in {backend}" for backend, name in sorted(declared)) + "."
        )


def backends(record: RunRecord) -> list[str]:
    """Every backend in the record, also those that are not available."""
    return unique([*record.backends, *(item.backend for item in record.unavailable)])


def _at(label: str, place: str) -> bool:
    """Whether a label is of this backend and device: it begins with them."""
    return f"{label} ".startswith(f"{place} ")


def agreement(record: RunRecord) -> Table:
    """A block a row, a backend or its variant a column: how many checked cases agree, and the smallest margin."""
    checked = unique(result.backend for result in record.checks)
    names = unique(label for name in backends(record) for label in [c for c in checked if _at(c, name)] or [name])

    def cell(block: str, backend: str) -> str:
        results = [r for r in record.checks if r.block == block and r.backend == backend]
        lost = {
            u.case
            for u in record.unavailable
            if _at(backend, u.backend) and u.stage == "check" and u.case.startswith(f"{block}-")
        }
        cases = {r.case for r in results} | lost
        if not cases:
            return "not available"
        bad = {r.case for r in results if not r.passed} | lost
        margins = [r.margin for r in results if r.margin is not None]
        mark = "agrees" if not bad else "**DIFFERS**" if bad - lost else "**incomplete**"
        return f"{mark} {len(cases - bad)}/{len(cases)}" + (f", margin {min(margins):.1f}" if margins else "")

    blocks = unique(result.block for result in record.checks)
    return Table(["block", *names], [[f"`{block}`", *(cell(block, name) for name in names)] for block in blocks])


def margins(record: RunRecord) -> Table:
    """How the margins are spread, a backend a column; a comparison without any error has no finite margin."""
    edges = [0, 2, 3, 5, 10, 30, 100, 1000, np.inf]

    def column(name: str) -> list[str]:
        values = np.array([r.margin for r in record.checks if r.backend == name and r.margin is not None])
        finite = values[np.isfinite(values)]
        exact, counts = str(values.size - finite.size), map(str, np.histogram(finite, edges)[0])
        middle = (f"{value:.1f}" for value in np.quantile(finite, [0, 0.5])) if finite.size else ("", "")
        return [str(values.size), exact, *middle, *counts]

    steps = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges[1:-1])]
    names = ["comparisons", "no error", "smallest", "median", "below 2", *steps, "above 1000"]
    columns = map(column, record.backends)
    return Table(["margins", *record.backends], [list(cells) for cells in zip(names, *columns, strict=True)])


def failures(record: RunRecord) -> list[CheckResult]:
    """Every comparison that did not pass."""
    return [result for result in record.checks if not result.passed]
