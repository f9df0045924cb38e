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
from report.commands.timing import BUDGET
from report.paths import FIGURE, HERE, PAGES, RESULTS, TRAINING, WRITTEN, partial


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
    """The main job: checks, costs and timing. The raw results are written first; REPORT.md and parts/ are rendered.

    What is finished is written to results.partial.json as it goes; --resume continues from there.
    """
    from report.rendering import other_records, publish

    if source:
        _alone()
        output = output or source.parent
        writable(*(output / name for name in PAGES), output / FIGURE, make=True)
        click.echo(f"wrote {publish(source, output)}")
        return
    from common.config import MODES
    from common.processes import machine
    from common.session.tasks import Experiment
    from common.spec.catalogue import cases, float64_cases, published_cases, timed_cases
    from report.runs.resuming import adopt, growing, left, resumed, unchecked
    from report.runs.runner import choose_backends, costed, effort, runner
    from report.runs.timing import time_all

    choose_backends(backends)
    output, threads = output or HERE, threads or machine.processors()
    results, unfinished = output / RESULTS, partial(output / RESULTS)
    writable(results, unfinished, *(output / name for name in PAGES), output / FIGURE, make=True)
    others = other_records(output)  # read before the work, because a record may be damaged
    here, advice = machine.environment(threads, WRITTEN), "begin anew without --resume"
    before = resumed(unfinished, here, advice) if resume else None
    checked, timed = unchecked(before, (*cases(), *float64_cases())), timed_cases(profile)
    work = [*map(effort, checked), *[BUDGET[profile]] * len(timed)]
    with runner(backends, threads, work, profile, devices=devices) as run:
        run.describe()
        if before:
            adopt(run.record, before, unfinished)
            run.record = before
        with growing(run, unfinished, "; the same command with --resume continues from there"):
            run.check(checked)
            run.record.costs = [costed(case) for case in dict.fromkeys((*published_cases(), *timed))]
            experiments = [Experiment(case, MODES[0], tuple(run.places.values())) for case in timed]
            time_all(run, left(run.record, experiments), BUDGET[profile])
    place = saved(run.record, results, unfinished)
    if place:
        click.echo(f"wrote {publish(place, output, others)}")
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

    The next `convparity report` shows the results. What is finished is in training.partial.json until all is.
    """
    from report.runs import training
    from report.runs.resuming import growing
    from report.runs.runner import choose_backends, runner
    from report.sections.training import accuracy, parting, verdict
    from report.sections.training_figure import draw
    from report.text import plain, unmarked

    output = output or HERE
    results, unfinished = output / TRAINING, partial(output / TRAINING)
    choose_backends(backends)
    writable(results, unfinished, output / FIGURE, make=True)
    work = [1.0] * seeds * len(training.NETS)
    with runner(backends, training.THREADS, work, devices=devices) as run, growing(run, unfinished):
        record = training.train(run, seeds, epochs)
    record.seconds = run.record.seconds
    place = saved(record, results, unfinished)
    click.echo(f"{plain(accuracy(record))}\n{unmarked(verdict(record))}\n\n{plain(parting(record))}")
    draw(record, output / FIGURE)
    finish(record, results, place)
