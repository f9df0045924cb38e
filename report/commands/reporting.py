"""The commands whose records make the report: report, train."""

from pathlib import Path

import click
from click.core import ParameterSource

from report.commands.shared import (
    backend_option,
    described,
    device_option,
    finish,
    output_option,
    profile_option,
    saved,
    threads_option,
    writable,
)
from report.commands.streams import tell
from report.commands.timing import BUDGET
from report.paths import FIGURE, HERE, PAGE, PARTIAL, RESULTS, TRAINING, WRITTEN


@click.command(**described("convparity report --profile full"))
@backend_option
@device_option
@threads_option
@profile_option
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="RESULTS",
    help="Run nothing; render this record of an earlier run, into its folder unless --output names another.",
)
@click.option(
    "--resume", is_flag=True, help="Continue a run that was interrupted: what it has finished is not run again."
)
@output_option
def report(
    backends: tuple[str, ...],
    devices: tuple[str, ...],
    threads: int | None,
    profile: str,
    source: Path | None,
    resume: bool,
    output: Path | None,
) -> None:
    """The main job: checks, costs and timing. The raw results are written first; REPORT.md is rendered from them.

    What is finished is written to results.partial.json as it goes; --resume continues from there.
    """
    from report.rendering import other_records, publish

    if source:
        _alone()
        output = output or source.parent
        writable(output / PAGE, output / FIGURE, make=True)
        click.echo(f"wrote {publish(source, output)}")
        return
    from common.config import MODES
    from common.processes import machine
    from common.session.tasks import Experiment
    from common.spec.catalogue import cases, float64_cases, published_cases, timed_cases
    from report.runs.resuming import Saver, adopt, left, resumed, unchecked
    from report.runs.runner import choose_backends, costed, effort, runner
    from report.runs.timing import time_all

    choose_backends(backends)
    output, threads = output or HERE, threads or machine.processors()
    results, partial = output / RESULTS, output / PARTIAL
    writable(results, partial, output / PAGE, output / FIGURE, make=True)
    others = other_records(output)  # read before the work, because a record may be damaged
    before = resumed(partial, machine.environment(threads, WRITTEN), "begin anew without --resume") if resume else None
    checked, timed = unchecked(before, (*cases(), *float64_cases())), timed_cases(profile)
    work = [*map(effort, checked), *[BUDGET[profile]] * len(timed)]
    with runner(backends, threads, work, profile, devices=devices) as run:
        run.describe()
        if before:
            adopt(run.record, before, partial)
            run.record = before
        run.save = Saver(partial, run.progress.note)
        try:
            run.check(checked)
            run.record.costs = [costed(case) for case in dict.fromkeys((*published_cases(), *timed))]
            experiments = [Experiment(case, MODES[0], tuple(run.places.values())) for case in timed]
            time_all(run, left(run.record, experiments), BUDGET[profile])
        except KeyboardInterrupt:
            tell(f"{partial} has what is finished; the same command with --resume continues from there")
            raise
    place = saved(run.record, results)
    if place == results:
        partial.unlink(missing_ok=True)
    click.echo(f"wrote {publish(place or results, output, others)}")
    finish(run.record, results, place)


def _alone() -> None:
    """Refuses the options of a run together with --from."""
    context = click.get_current_context()
    refused = [
        max(option.opts, key=len)
        for option in context.command.params
        if option.name not in ("source", "output")
        and context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    ]
    if refused:
        raise click.UsageError(f"`--from` runs nothing, so {', '.join(refused)} cannot be used with it")


@click.command(**described("convparity train -b torch --seeds 3"))
@backend_option
@device_option
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Trainings of each net.")
@click.option("--epochs", type=click.IntRange(1), default=15, show_default=True, help="Passes over the data in each.")
@output_option
def train(backends: tuple[str, ...], devices: tuple[str, ...], seeds: int, epochs: int, output: Path | None) -> None:
    """Trains a separable net and its standard twin on handwritten digits in every framework, and compares.

    The next `convparity report` shows the results.
    """
    from report.runs import training
    from report.runs.runner import choose_backends, runner
    from report.sections.training import accuracy, parting, verdict
    from report.sections.training_figure import draw
    from report.text import plain

    output = output or HERE
    choose_backends(backends)
    writable(output / TRAINING, output / FIGURE, make=True)
    with runner(backends, training.THREADS, [1.0] * seeds * len(training.NETS), devices=devices) as run:
        record = training.train(run, seeds, epochs)
    record.seconds = run.record.seconds
    place = saved(record, output / TRAINING)
    click.echo(f"{plain(accuracy(record))}\n{verdict(record)}\n\n{plain(parting(record))}")
    draw(record, output / FIGURE)
    finish(record, output / TRAINING, place)
