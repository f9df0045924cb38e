"""What all commands share."""

import sys
from pathlib import Path
from typing import Any

import click

EXIT_DISAGREE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

backend_option = click.option(
    "-b", "--backend", "backends", multiple=True, metavar="NAME", help="Only this framework; repeatable."
)
device_option = click.option(
    "-d",
    "--device",
    "devices",
    multiple=True,
    metavar="NAME",
    help="Only this device, in the frameworks that have it; repeatable [default: each framework's first].",
)
block_option = click.option(
    "-k", "--block", "words", multiple=True, metavar="WORD", help="Only cases whose id contains WORD; repeatable."
)
json_option = click.option(
    "--json",
    "json",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the results as JSON.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 4096),
    default=None,
    help="CPU threads for every framework [default: all processors].",
)
output_option = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder for the output files [default: report/ in the checkout].",
)
profile_option = click.option("--profile", default="quick", show_default=True, metavar="NAME", help="quick or full.")


def described(example: str) -> dict[str, Any]:
    """A command's settings, with an example below its help."""
    return {"epilog": f"Example: {example}", "context_settings": {"help_option_names": ["-h", "--help"]}}


def writable(path: Path | None) -> None:
    """Checks before the work that the file can be written after it."""
    from common.results.record import write_text

    if path:
        write_text(path, None)


def finish(record: Any, json: Path | None) -> None:
    """Writes the record, prints what is missing, and exits with status 1 unless the record is complete."""
    from common.results.record import dump

    if json:
        dump(record, json)
        click.echo(f"wrote {json}")
    lost: dict[tuple[str, str, str], list[str]] = {}
    for item in record.unavailable:
        lost.setdefault((item.label, item.stage, item.reason), []).append(item.case)
    for (label, stage, reason), (case, *others) in lost.items():
        more = f" (and {len(others)} more like it)" if others else ""
        click.echo(f"not available: {label} {case} {stage}: {reason}{more}", err=True)
    if not record.complete:
        sys.exit(EXIT_DISAGREE)
