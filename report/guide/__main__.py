"""``python -m report.guide`` writes the pages; with ``--measure`` it asks the frameworks for the facts first."""

import sys
import warnings

from report.guide import facts, pages


def main() -> None:
    """Writes report/facts.json (only if asked to) and docs/."""
    if sys.argv[1:] == ["--measure"]:
        warnings.simplefilter("ignore")  # naive ports may warn
        facts.dump(facts.measure())
    elif sys.argv[1:]:
        sys.exit(f"report.guide: unknown argument `{sys.argv[1]}`; choose from --measure")
    pages.write()


if __name__ == "__main__":
    main()
