"""``python -m report.guide`` writes the pages; with ``--measure`` it asks the frameworks for the facts first."""

import sys
import warnings

from report.guide import facts, pages


def main(arguments: list[str]) -> None:
    """Writes report/facts.json (only if asked to) and docs/."""
    if arguments not in ([], ["--measure"]):
        _fail(f"unknown arguments `{' '.join(arguments)}`; choose from --measure")
    if arguments:
        warnings.simplefilter("ignore")  # naive ports may warn
        try:
            facts.dump(facts.measure())
        except ImportError as error:
            _fail(f"the facts need all four frameworks and the tests' packages: {error}")
    pages.write()


def _fail(message: str) -> None:
    print(f"report.guide: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
