"""What all commands share."""

import sys
from pathlib import Path
from typing import Any

import click

EXIT_DISAGREE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

backend_option = click.option(
    "-b", "--backend", "backends", multiple=True, metavar="NAME", help="Only this framework; repeats."
)
block_option = click.option(
    "-k", "--block", "words", multiple=True, metavar="WORD", help="Only cases whose id contains WORD; repeats."
)
json_option = click.option(
    "--json",
    "json",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the results as JSON.",
)
threads_option = click.option(
    "--threads", type=click.IntRange(1), default=None, help="CPU threads for every framework [default: all processors]."
)
output_option = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder for what is written [default: report/ in the checkout].",
)
profile_option = click.option("--profile", default="quick", show_default=True, metavar="NAME", help="quick or full.")


def described(example: str) -> dict[str, Any]:
    """A command's settings, with an example below its help."""
    return {"epilog": f"Example: {example}", "context_settings": {"help_option_names": ["-h", "--help"]}}


def writable(path: Path | None) -> None:
    """Refuses before the work what could not be written after it."""
    from common.results.record import write_text

    if path:
        write_text(path, None)


def finish(record: Any, json: Path | None) -> None:
    """Writes the record, says what is missing, and ends with the status that it deserves."""
    from common.results.record import dump

    if json:
        dump(record, json)
        click.echo(f"wrote {json}")
    for item in record.unavailable:
        click.echo(f"not available: {item.backend} {item.case} {item.stage}: {item.reason}", err=True)
    if not record.complete:
        sys.exit(EXIT_DISAGREE)
