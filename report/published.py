"""``python -m report.published``: REPORT.md, docs/ and README's figures, from the committed records and the code."""

from collections.abc import Mapping
from pathlib import Path

from common.bench.analysis import Analysis
from common.results.record import write_text
from report.guide.pages import pages
from report.paths import DOCS, HERE, PAGE, RESULTS, ROOT
from report.rendering import beside, run_record
from report.sections.brief import with_figures
from report.sections.page import render

README = ROOT / "README.md"


def generated() -> dict[Path, str]:
    """Every file that is generated, as it should be.

    Raises:
        ResultsError: if a record cannot be read, or README lacks the marks of its figures.
    """
    record = run_record(HERE / RESULTS)
    return {
        HERE / PAGE: render(record, **beside(HERE)),
        README: with_figures(README.read_text("utf-8"), Analysis(record)),
        **{DOCS / name: text for name, text in pages(record).items()},
    }


def stale(found: Mapping[Path, str]) -> list[Path]:
    """The files that are not as they should be, and those in docs/ that nothing generates."""
    there = {path for kind in ("md", "svg") for path in DOCS.rglob(f"*.{kind}")}
    wrong = {path for path, text in found.items() if not path.exists() or path.read_text("utf-8") != text}
    return sorted(wrong | (there - found.keys()))


def main() -> None:
    """Writes what is stale, and removes what nothing generates."""
    found = generated()
    for path in stale(found):
        print(path.relative_to(ROOT))
        if path in found:
            write_text(path, found[path])
        else:
            path.unlink()


if __name__ == "__main__":
    main()
