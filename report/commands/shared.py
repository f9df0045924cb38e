"""What all commands share."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from report.commands import names
from report.commands.streams import tell
from report.paths import RESULTS

EXIT_DISAGREE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

backend_option = click.option(
    "-b",
    "--backend",
    "backends",
    multiple=True,
    metavar="NAME",
    help="Only this framework; repeatable.",
    **names.completing(names.timed),
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
    "-k",
    "--block",
    "words",
    multiple=True,
    metavar="WORD",
    help="Only cases whose id contains WORD; repeatable.",
    **names.completing(names.cases),
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
profile_option = click.option(
    "--profile",
    default="quick",
    show_default=True,
    metavar="NAME",
    help="quick or full.",
    **names.completing(lambda: ("quick", "full")),
)


def described(example: str) -> dict[str, Any]:
    """A command's settings, with an example below its help."""
    return {"epilog": f"Example: {example}", "context_settings": {"help_option_names": ["-h", "--help"]}}


def writable(*paths: Path | None, make: bool = False) -> None:
    """Checks before the work that these files can be written after it, and keeps other runs from writing them.

    ``make`` makes their folders; others must exist.
    """
    from common.results.writing import claimed, made

    named = [path for path in paths if path]
    files = [os.path.realpath(path) for path in named]
    for number, path in enumerate(named):
        if files[number] in files[:number]:
            raise click.UsageError(f"{path} is named for two outputs")
    context = click.get_current_context()
    for path in named:
        if make:
            context.with_resource(made(path))
        context.with_resource(claimed(path))


def saved(record: Any, path: Path | None, unfinished: Path | None = None) -> Path | None:
    """Writes the record, before anything is printed; where it is, which is a temporary folder if ``path`` fails.

    None if that fails as well: then what is printed is all that is left. The file of the ``unfinished`` record goes
    when the record is written.
    """
    from common.results.record import dump
    from common.results.writing import ResultsError

    try:
        if path:
            dump(record, path)
        if unfinished:
            unfinished.unlink(missing_ok=True)
        return path
    except ResultsError as error:
        tell(f"convparity: {error}")
    try:
        place = Path(tempfile.mkdtemp(prefix="convparity-")) / RESULTS
        dump(record, place)
    except (OSError, ResultsError) as error:
        tell(f"convparity: nor elsewhere: {getattr(error, 'strerror', None) or error}")
        return None
    return place


def finish(record: Any, path: Path | None = None, place: Path | None = None) -> None:
    """Prints where the record is, which was to be in ``path``, and what is missing.

    It exits with status 2 if the record is elsewhere, and else with 1 unless the record is complete.
    """
    if place:
        click.echo(f"wrote {place}")
    lost: dict[tuple[str, str, str], list[str]] = {}
    for item in record.unavailable:
        lost.setdefault((item.label, item.stage, item.reason), []).append(item.case)
    for (label, stage, reason), (case, *others) in lost.items():
        more = f" (and {len(others)} more like it)" if others else ""
        tell(f"not available: {label} {case} {stage}: {reason}{more}")
    if place != path:
        sys.exit(EXIT_USAGE)
    if not record.complete:
        sys.exit(EXIT_DISAGREE)
