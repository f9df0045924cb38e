"""``python -m report.guide`` asks the frameworks for the facts of the guide, and writes report/facts.json."""

import sys
import warnings

from report.guide import facts


def main() -> None:
    """Writes report/facts.json."""
    warnings.simplefilter("ignore")  # naive ports may warn
    try:
        facts.dump(facts.measure())
    except ImportError as error:
        _fail(f"the facts need all four frameworks and the tests' packages: {error}")


def _fail(message: str) -> None:
    print(f"report.guide: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
