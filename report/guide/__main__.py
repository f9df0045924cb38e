"""``python -m report.guide`` asks the frameworks again for the outdated facts in report/facts.json."""

import sys
import warnings

from report.guide import facts


def main() -> None:
    """Writes report/facts.json if anything in it is outdated."""
    recorded, now = facts.load(), facts.keys()
    if recorded.keys == now:
        print("report/facts.json is current: nothing is asked")
        return
    again, total = facts.outdated(recorded, now), sum(map(len, now.values()))
    print(f"asked again, {len(again)} of {total}: {', '.join(again[:9])}{', ...' * (len(again) > 9)}")
    warnings.simplefilter("ignore")  # naive ports may warn
    try:
        facts.dump(facts.measure(recorded, now))
    except ImportError as error:
        print(f"report.guide: the facts need all four frameworks and the tests' packages: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
