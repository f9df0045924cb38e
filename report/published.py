"""``python -m report.published``: REPORT.md, docs/ and README's figures, from the committed records and the code."""

from collections.abc import Mapping
from pathlib import Path

from common.bench.analysis import Analysis
from common.results.writing import write_text
from report.guide.pages import pages
from report.paths import DOCS, HERE, RESULTS, ROOT
from report.rendering import other_records, run_record
from report.sections.brief import with_figures
from report.sections.page import render

README = ROOT / "README.md"


def generated() -> dict[Path, str]:
    """The current text of every generated file, by its path.

    Raises:
        ResultsError: if a record cannot be read, or README lacks the marks around its figures.
    """
    record = run_record(HERE / RESULTS)
    return {
        **{HERE / name: text for name, text in render(record, **other_records(HERE)).items()},
        README: with_figures(README.read_text("utf-8"), Analysis(record)),
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
