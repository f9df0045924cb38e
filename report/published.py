"""``python -m report.published``: the report, docs/ and README's tables, from the committed records and the code."""

from collections.abc import Mapping
from pathlib import Path

from common.bench.analysis import Analysis
from common.results.writing import ResultsError, write_text
from report.guide.pages import pages
from report.paths import DOCS, HERE, RESULTS, ROOT
from report.rendering import other_records, run_record
from report.sections.brief import CHINESE, with_figures
from report.sections.front import most_told
from report.sections.page import render

READMES = {ROOT / "README.md": None, ROOT / "README.zh-CN.md": CHINESE}  # and the heads of their tables


def generated() -> dict[Path, str]:
    """The current text of every generated file, by its path.

    Raises:
        ResultsError: if a record cannot be read, a README lacks the marks around its figures, or no sweep has any.
    """
    record, others = run_record(HERE / RESULTS), other_records(HERE)
    networks = most_told({name: Analysis(sweep) for name, sweep in others["sweeps"].items()})
    if not networks:
        raise ResultsError("no sweep has tuned variants beside engines: README has no figures")
    return {
        **{HERE / name: text for name, text in render(record, **others).items()},
        **{path: with_figures(path.read_text("utf-8"), networks, header) for path, header in READMES.items()},
        **{DOCS / name: text for name, text in pages(record).items()},
    }


def stale(texts: Mapping[Path, str]) -> list[Path]:
    """The files whose text is not the generated one, and those in docs/ that nothing generates."""
    existing = {path for kind in ("md", "svg") for path in DOCS.rglob(f"*.{kind}")} | {*(HERE / "parts").glob("*.md")}
    wrong = {path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text}
    return sorted(wrong | (existing - texts.keys()))


def main() -> None:
    """Writes what is stale, and removes what nothing generates."""
    texts = generated()
    for path in stale(texts):
        print(path.relative_to(ROOT))
        if path in texts:
            write_text(path, texts[path])
        else:
            path.unlink()


if __name__ == "__main__":
    main()
