"""The command `convparity`. What a command needs is imported when it runs, so that --help answers at once."""

import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from common.names import printable
from report.commands import names
from report.commands.listing import list_
from report.commands.porting import compare, explain, port
from report.commands.reporting import report, train
from report.commands.shared import (
    EXIT_DISAGREE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    backend_option,
    block_option,
    described,
    device_option,
    finish,
    json_option,
    output_option,
    saved,
    writable,
)
from report.commands.streams import named, prepare, settle, tell
from report.commands.timing import bench, diff, sweep
from report.paths import HERE, SELFTEST, partial

LONGEST = 4000  # letters of an error: some list every choice
DTYPES, CHECKED = ("float32", "float64"), ("reference", "tuned")


class Commands(click.Group):
    """Says what the system refuses; click itself would end with status 1, without a word, for a pipe that is closed."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise click.ClickException(named(error)) from None


@click.group(cls=Commands, **described("convparity check -b paddle -k depthwise"))
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=names.print_versions,
    help="Print the versions of convparity and of what it runs, and exit.",
)
def cli() -> None:
    """Convolution blocks in PyTorch, PaddlePaddle, JAX and Flax: are they the same function, and what do they cost?

    Exit status: 0 all agree, 1 something disagrees or is missing, 2 usage or environment error, 130
    interrupted.
    """


for _added in (list_, bench, sweep, diff, report, train, explain, port, compare):
    cli.add_command(_added)


@cli.command(**described("convparity check -b paddle -k depthwise --json out.json"))
@backend_option
@device_option
@block_option
@json_option
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    metavar="NAME",
    help="float32: the frameworks as they are; float64: made to follow the spec exactly.",
    **names.completing(lambda: DTYPES),
)
@click.option(
    "--variant",
    default="reference",
    show_default=True,
    metavar="NAME",
    help="reference or tuned.",
    **names.completing(lambda: CHECKED),
)
@click.option("--trace", is_flag=True, help="Also print every layer's error, so far and its own.")
def check(
    backends: tuple[str, ...],
    devices: tuple[str, ...],
    words: tuple[str, ...],
    json: Path | None,
    dtype: str,
    variant: str,
    trace: bool,
) -> None:
    """Compares every block in every framework with the float64 reference, in evaluation and in training."""
    from common.check.branches import CASES
    from common.names import known
    from common.processes import machine
    from common.spec.catalogue import cases, float64_cases
    from report.runs.resuming import growing
    from report.runs.runner import choose_backends, choose_cases, effort, runner
    from report.sections.agreement import agreement
    from report.sections.trace import first_wrong, layers
    from report.text import plain

    known("dtype", dtype, DTYPES)
    known("variant", variant, CHECKED)
    single = (*cases(), *CASES) if variant == "tuned" else cases()
    every = (*single, *float64_cases()) if dtype == DTYPES[0] else [case.cast(dtype) for case in single]
    selected = choose_cases(every, words)
    choose_backends(backends)
    writable(json)
    x64 = dtype == "float64"
    work = [effort(case) for case in selected * (2 if trace else 1)]
    with runner(backends, machine.processors(), work, x64=x64, devices=devices) as run:
        run.describe()
        with growing(run, json):
            run.check(selected, variant)
        traced = list(run.trace(selected, variant)) if trace else []
    place = saved(run.record, json)
    for title, rows in traced:
        click.echo(f"{title}\n{plain(layers(rows))}\n{first_wrong(rows)}\n")
    click.echo(plain(agreement(run.record)))
    finish(run.record, json, place)


@cli.command(**described("convparity selftest -b paddle -k norm"))
@backend_option
@device_option
@click.option(
    "-k",
    "--fault",
    "words",
    multiple=True,
    metavar="WORD",
    help="Only faults whose name contains WORD.",
    **names.completing(names.faults),
)
@output_option
def selftest(backends: tuple[str, ...], devices: tuple[str, ...], words: tuple[str, ...], output: Path | None) -> None:
    """Puts mistakes that ports make into every framework: is each caught, at its level and at its layer?

    Without -k the results go to selftest.json, which the report shows; until all is finished they are in
    selftest.partial.json.
    """
    from common.faults.cases import CASES
    from common.faults.mistakes import FAULTS
    from common.processes import machine
    from report.runs.resuming import growing
    from report.runs.runner import choose, choose_backends, effort, runner
    from report.sections.selftest import kills
    from report.text import plain

    selected = choose(FAULTS, words, "faults", [fault.id for fault in FAULTS])
    choose_backends(backends)
    record = None if words else (output or HERE) / SELFTEST  # a partial run must not replace the record of a whole one
    unfinished = record and partial(record)
    writable(record, unfinished, make=True)
    work = [effort(case) for case in (*CASES, *(fault.case for fault in selected))]
    with runner(backends, machine.processors(), work, devices=devices) as run:
        run.describe()
        with growing(run, unfinished):
            run.check(CASES)
            run.selftest(selected)
    place = saved(run.record, record, unfinished)
    click.echo(plain(kills(run.record)))
    caught = sum(result.caught for result in run.record.faults)
    click.echo(f"{caught} of {len(run.record.faults)} caught at the level and the layer where they belong")
    finish(run.record, record, place)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; every error that a user can cause is one line and status 2."""
    command: Callable[..., Any] = cli.main
    prepare()
    for name in ("SIGTERM", "SIGHUP"):  # as Ctrl-C, so that the workers are stopped
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:  # as under nohup
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        command(arguments, prog_name="convparity", standalone_mode=False)
        sys.exit(0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        _fail(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        tell("convparity: interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except OSError as error:  # of --help
        _fail(named(error))
    except MemoryError as error:
        _fail(f"out of memory: {error}" if str(error) else "out of memory")
    except Exception as error:
        if not isinstance(error, _user_errors()):
            raise
        _fail(str(error), getattr(error, "details", ()), _status(error))
    finally:
        settle()


def _user_errors() -> tuple[type[Exception], ...]:
    from common.layers.values import SpecError
    from common.names import UnknownName
    from common.port.weights import PortError
    from common.processes.pool import WorkerFailed
    from common.results.writing import ResultsError
    from frameworks import MissingFramework
    from report.runs.runner import NothingToRun

    return (UnknownName, SpecError, PortError, ResultsError, NothingToRun, MissingFramework, WorkerFailed)


def _status(error: Exception) -> int:
    from common.port.weights import Disagreement

    return EXIT_DISAGREE if isinstance(error, Disagreement) else EXIT_USAGE


def _fail(message: str, details: Iterable[str] = (), status: int = EXIT_USAGE) -> None:
    tell("convparity: " + printable(" ".join(message.split()), LONGEST))
    for line in details:
        tell(f"  {printable(line, LONGEST)}")
    sys.exit(status)
