"""What `convparity compare` writes: a record as JSON, and a page of its own that shows the record."""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from common.port.alignment import NameMap
from common.port.comparing import Comparison
from common.port.parting import Finding, Layer

VERSION = 1


@dataclass(frozen=True)
class Record:
    """A comparison of two modules; ``version`` is that of these fields.

    ``first`` and ``second`` are the modules and ``inputs`` their inputs, as they were typed. ``agrees`` is the verdict.

    ``findings`` has one item for each thing that was compared: ``what`` (such as ``output in evaluation``), ``problem``
    (a sentence, or null if it agrees), and of the worst element ``error`` (the absolute difference in float64) and
    ``allowance`` (the greatest that rounding explains). Both are null where no single number says it.

    ``first_difference`` is the first layer that differs, in a sentence, or null. ``reasons`` are sentences on why.

    ``layers`` has the layers with arrays in order of execution: ``first`` and ``second``, the names in both modules;
    ``problem``, ``error`` and ``allowance`` of the output, as in ``findings``. They are those of the pass that ``mode``
    names: the first in which the modules differ, or evaluation.

    ``names`` has the second's layer names by the first's; ``notes`` say what was matched, changed and left out.
    """

    version: int
    first: str
    second: str
    inputs: tuple[str, ...]
    agrees: bool
    first_difference: str | None
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    mode: str
    layers: tuple[Layer, ...]
    names: NameMap
    notes: tuple[str, ...]


def record_of(comparison: Comparison, first: str, second: str, inputs: Sequence[str]) -> Record:
    """The record of a comparison of two modules by name."""
    return Record(
        VERSION,
        first,
        second,
        tuple(inputs),
        comparison.agrees,
        comparison.divergence,
        comparison.reasons,
        comparison.findings,
        comparison.mode,
        comparison.layers,
        comparison.alignment.names,
        comparison.notes,
    )


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere }
.verdict { padding: .6rem 1rem; border-left: 6px solid; background: #f6f8fa }
.agrees { border-color: #1a7f37 } .differs { border-color: #cf222e }
table { border-collapse: collapse; width: 100% } th { text-align: left }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
tr.off { background: #ffebe9 }
"""


def page(record: Record) -> str:
    """The record as one HTML page that needs nothing else."""
    title = f"{record.first} and {record.second}"
    verdict = "They are the same function." if record.agrees else "They are not the same function."
    parts = [
        f"<h1>{_code(record.first)} and {_code(record.second)}</h1>",
        f'<div class="verdict {"agrees" if record.agrees else "differs"}"><strong>{verdict}</strong>',
        f"<br>Inputs: {', '.join(map(_code, record.inputs))}.",
        f"<br>First layer that differs: {html.escape(record.first_difference)}" if record.first_difference else "",
        *(f"<br>Reason: {html.escape(reason)}" for reason in record.reasons),
        "</div><h2>What was compared</h2>",
        _table(("", "greatest difference", "allowed", ""), ((html.escape(f.what), f) for f in record.findings)),
        f"<h2>Layers in {html.escape(record.mode)}, in order of execution</h2>" if record.layers else "",
        _table(
            ("first", "second", "greatest difference", "allowed", ""),
            ((f"{_code(layer.first)}</td><td>{_code(layer.second)}", layer) for layer in record.layers),
        )
        if record.layers
        else "",
        "<h2>Notes</h2><ul>",
        *(f"<li>{html.escape(note)}</li>" for note in record.notes),
        "</ul>",
    ]
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n'
        + "\n".join(filter(None, parts))
        + ("\n</body></html>\n")
    )


def _code(text: str) -> str:
    return f"<code>{html.escape(text)}</code>"


def _table(head: Sequence[str], rows: Iterable[tuple[str, Any]]) -> str:
    """Rows of names, and what was found: a `Finding` or a `Layer`."""
    lines = [f"<tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>"]
    for names, found in rows:
        numbers = "".join(f'<td class="number">{_number(value)}</td>' for value in (found.error, found.allowance))
        off = ' class="off"' if found.problem else ""
        lines.append(f"<tr{off}><td>{names}</td>{numbers}<td>{html.escape(found.problem or 'agrees')}</td></tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "" if value is None else "not finite"
    return f"{value:.1e}" if value else "0"
