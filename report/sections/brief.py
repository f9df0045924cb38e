"""The results in brief that README shows, in English and in Chinese: a pure function of an Analysis."""

from collections.abc import Sequence

from common.bench.analysis import Analysis
from common.results.writing import ResultsError
from report.sections.front import as_written_and_tuned
from report.text import markdown

FIRST, LAST = "<!-- results in brief: `make docs` writes them -->\n\n", "\n\n<!-- /results in brief -->"
CHINESE = ("前向计算", "框架", "直接写，毫秒", "调优后，毫秒", "快了几倍", "最快的推理引擎，毫秒", "机器")


def with_figures(readme: str, networks: Analysis, header: Sequence[str] | None = None) -> str:
    """README with the table of the report's front page between its marks, under ``header`` if one is given.

    Raises:
        ResultsError: if it does not have them.
    """
    before, first, rest = readme.partition(FIRST)
    _, last, after = rest.partition(LAST)
    if not (first and last):
        raise ResultsError(f"README lacks the marks `{FIRST.strip()}` and `{LAST.strip()}` around its figures")
    table = markdown(as_written_and_tuned(networks))
    if header:
        table = "\n".join([f"| {' | '.join(header)} |", *table.splitlines()[1:]])
    return before + first + table + last + after
