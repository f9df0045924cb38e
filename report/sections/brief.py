"""The results in brief that README shows: a pure function of an Analysis."""

from common.bench.analysis import Analysis
from common.results.writing import ResultsError
from report.sections.separable import savings, verdict
from report.sections.timing_tables import crowd, overview
from report.text import Table, markdown

FIRST, LAST = "<!-- results in brief: `make docs` writes them -->\n\n", "\n\n<!-- /results in brief -->"
CASES = (
    "standard_conv-c128-1x128x56x56",
    "depthwise_conv-c128-1x128x56x56",
    "conv_stack-c3-1x3x48x48",
    "separable_stack-c3-1x3x48x48",
    "mobilenet_v1-a050-1x3x224x224",
)


def brief(run: Analysis) -> str:
    """Some rows of the report's overview, and its verdict on the separable stack on the same map."""
    table = overview(run)
    rows = [row for row in table.rows if row[0].strip("`") in CASES]
    stacks = [saving for saving in savings(run) if saving.standard.case in CASES]
    where, costs = run.record.environment, [run.costs[case].macs for case in CASES[2:4] if case in run.costs]
    return "\n\n".join(
        [
            f"Median milliseconds of a forward pass, float32, {where['threads a framework']} threads of an "
            f"{where['cpu'].partition(' (')[0]}; the fastest is bold, and *tie* marks what cannot be told from it:",
            markdown(Table(table.header, rows)),
            *([others] if (others := crowd(run)) else []),
            *([verdict(stacks, costs[0] / costs[1])] if stacks else []),
        ]
    )


def with_figures(readme: str, run: Analysis) -> str:
    """README with `brief` between its marks.

    Raises:
        ResultsError: if it does not have them.
    """
    before, first, rest = readme.partition(FIRST)
    _, last, after = rest.partition(LAST)
    if not (first and last):
        raise ResultsError(f"README.md lacks the marks `{FIRST.strip()}` and `{LAST.strip()}` around its figures")
    return before + first + brief(run) + last + after
