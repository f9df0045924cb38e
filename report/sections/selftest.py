"""The section on whether the check can fail: pure functions from the RunRecord of a selftest."""

from collections.abc import Iterator

from common.results.record import FaultResult, RunRecord
from report.text import Table, markdown, ran, unique


def selftest_section(record: RunRecord) -> Iterator[str]:
    """How many mistakes were caught where they belong."""
    caught = sum(result.caught for result in record.faults)
    yield "## Can the check fail?"
    yield (
        f"{len({result.fault for result in record.faults})} mistakes that ports make were put into "
        f"{', '.join(unique(result.backend for result in record.faults))}, one at a time: as the framework's "
        "own code for a wrong spec, as arrays stored in a wrong layout, as a wrong layer, as a wrong edit of the text "
        "of a hand-written block, or as an optimiser written by hand. A mistake is caught where it belongs if the "
        "lowest level that fails, and the layer that its message names, are the level and the layer of the mistake: "
        f"**{caught} of {len(record.faults)}** were. The same blocks without a mistake were checked in the same run: "
        + ("all agree" if all(result.passed for result in record.checks) else "**not all agree**")
        + f". From {ran(record, 'selftest')}."
    )
    yield f"<details><summary>Every mistake, by framework</summary>\n\n{markdown(kills(record))}\n\n</details>"


def missed(result: FaultResult) -> str:
    """A sentence on a fault that was not caught where it belongs."""
    belongs = f"{result.expected_level} of `{result.expected_layer}`"
    where = f"{result.level} of `{result.layer}`" if result.level else "nowhere"
    return f"[{result.fault} / {result.backend}] belongs to {belongs}, caught at {where}: {result.message}"


def kills(record: RunRecord) -> Table:
    """Fault by backend: whether it was caught at the level and layer where it belongs."""
    names = unique(result.backend for result in record.faults)
    rows = {result.fault: result for result in record.faults}
    results = {(result.fault, result.backend): result for result in record.faults}

    def cell(fault: str, backend: str) -> str:
        if not (result := results.get((fault, backend))):
            return "not available"
        return "caught" if result.caught else f"**missed**: {result.level or 'nowhere'} {result.layer}".rstrip()

    return Table(
        ["mistake", "what is wrong", "belongs to", *names],
        [
            [name, row.mistake, f"{row.expected_level} of `{row.expected_layer}`", *(cell(name, b) for b in names)]
            for name, row in rows.items()
        ],
    )
