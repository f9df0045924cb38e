"""The commands of timing: bench, sweep, diff."""

import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from common.config import FORMS, MODES, VARIANTS
from report.commands.names import completing
from report.commands.shared import (
    EXIT_DISAGREE,
    backend_option,
    block_option,
    described,
    device_option,
    finish,
    json_option,
    profile_option,
    saved,
    threads_option,
    writable,
)

if TYPE_CHECKING:
    from common.results.record import RunRecord

BUDGET = {"quick": 5.0, "full": 30.0}  # seconds of timing a table


@click.command(**described("convparity bench -k separable_stack --mode forward --mode step --json out.json"))
@backend_option
@device_option
@block_option
@json_option
@threads_option
@profile_option
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="NAME",
    help="forward (default), gradients or step; repeatable.",
    **completing(lambda: MODES),
)
@click.option(
    "--form",
    "forms",
    multiple=True,
    metavar="NAME",
    help="usual (default), eager or compiled; repeatable.",
    **completing(lambda: FORMS),
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="reference (default), tuned or ready-made; repeatable.",
    **completing(lambda: VARIANTS),
)
@click.option("--aa", is_flag=True, help="Also time everything against itself: do the intervals contain 1?")
def bench(
    backends: tuple[str, ...],
    devices: tuple[str, ...],
    words: tuple[str, ...],
    json: Path | None,
    threads: int | None,
    profile: str,
    modes: tuple[str, ...],
    forms: tuple[str, ...],
    variants: tuple[str, ...],
    aa: bool,
) -> None:
    """Times every block in every framework, each in processes of its own.

    Engines (-b onnxruntime, -b openvino), which run the block exported from torch, take part only if they are named.
    """
    from common.config import configured
    from common.names import known
    from common.processes import machine
    from common.session.tasks import Experiment
    from common.spec.catalogue import timed_cases
    from report.runs.resuming import growing
    from report.runs.runner import choose_backends, choose_cases, runner
    from report.runs.timing import time_all

    for kind, names, choices in (("mode", modes, MODES), ("form", forms, FORMS), ("variant", variants, VARIANTS)):
        for name in names:
            known(kind, name, choices)
    choose_backends(backends, engines=True)
    cases, modes = choose_cases(timed_cases(profile), words), modes or MODES[:1]
    writable(json)
    work = [BUDGET[profile]] * len(cases) * len(modes)
    with runner(backends, threads or machine.processors(), work, profile, devices=devices) as run:
        ways = itertools.product(run.places.values(), variants or VARIANTS[:1], forms or FORMS[:1])
        configs = [configured(place.backend, variant, form, place.device) for place, variant, form in ways]
        configs += [replace(config, copy=1) for config in configs] if aa else []
        experiments = [Experiment(case, mode, tuple(configs)) for case in cases for mode in modes]
        with growing(run, json):
            time_all(run, experiments, BUDGET[profile])
    place = saved(run.record, json)
    _print(run.record)
    finish(run.record, json, place)


def _print(record: "RunRecord") -> None:
    from common.bench.analysis import Analysis
    from report.sections import timing_tables as timing
    from report.sections import tuning
    from report.sections.calibration import same
    from report.text import plain, unmarked

    run = Analysis(record)
    if others := timing.crowd(run):
        click.echo(f"\n{others}")
    for group in run.tables:
        click.echo(f"\n{unmarked(timing.title(group))}\n{plain(timing.times(run, group))}\n{timing.note(run, group)}")
        click.echo(f"\n{plain(timing.conditions(run, group))}")
    if tuning.gains(run):
        click.echo(f"\nwhat tuning buys\n{plain(tuning.table(run))}")
    if record.memory:
        click.echo(f"\nmemory of a call\n{plain(timing.memory(run))}")
    table, inside, total = same(run)
    if total:
        share = f"{inside} of {total} intervals contain 1 ({inside / total:.0%})"
        click.echo(f"\neverything against itself\n{plain(table)}\n{share}")


@click.command(**described("convparity sweep report/sweeps/threads.yaml --json threads.json"))
@click.argument("file", type=click.Path(path_type=Path))
@backend_option
@json_option
@threads_option
@click.option("--plan", "only_plan", is_flag=True, help="Only print what would be run, and how long it would take.")
def sweep(file: Path, backends: tuple[str, ...], json: Path | None, threads: int | None, only_plan: bool) -> None:
    """Times a grid of cases and configurations that a YAML file describes; common/bench/sweeps.py has the format.

    After every table the results go to the same file name with .json. If a run is interrupted, the same command
    continues it: finished tables are not run again.
    """
    import frameworks
    from common.bench import sweeps
    from common.processes import machine
    from common.results.writing import ResultsError
    from report.paths import WRITTEN
    from report.runs.places import refuse_devices
    from report.runs.resuming import growing, left, resumed
    from report.runs.runner import choose_backends, runner
    from report.runs.timing import time_all
    from report.text import Table, number, plain

    grid = sweeps.load(file)
    every = sweeps.experiments(grid, [*frameworks.BACKENDS, *frameworks.ENGINES], frameworks.ENGINES)
    wanted = backends or tuple(dict.fromkeys(config.backend for experiment in every for config in experiment.configs))
    names, _ = choose_backends(wanted, engines=True)
    every = [replace(e, configs=tuple(c for c in e.configs if c.backend in names)) for e in every]
    every = [experiment for experiment in every if experiment.configs]
    path, threads = json or file.with_suffix(".json"), threads or machine.processors()
    if path.resolve() == file.resolve():
        raise click.UsageError(f"{path} is the sweep itself; name another file with --json")
    if not only_plan:
        writable(path)
    here, before = machine.environment(threads, WRITTEN), None
    try:
        before = resumed(path, here, *["the plan is of all tables"] * only_plan)
    except ResultsError as error:
        if not only_plan:
            raise
        click.echo(error)
    todo = left(before, every) if before else every
    if before:
        click.echo(f"{path} has {len(every) - len(todo)} of {len(every)} tables already")
    rows, seconds = sweeps.plan(todo, grid.budget, grid.processes)
    cells = [[f"`{r.title}`", number(r.configs), number(r.processes), number(r.seconds)] for r in rows]
    click.echo(plain(Table(["table", "configurations", "processes", "about s"], cells)))
    click.echo(f"{len(todo)} tables, about {seconds / 60:.0f} minutes")
    if only_plan:
        return
    refuse_devices(config for experiment in todo for config in experiment.configs)
    with runner(wanted, threads, [row.seconds for row in rows], "sweep") as run:
        if before:
            run.record = before
        run.record.title, run.record.about = grid.title, grid.about
        with growing(run, path, "; the same command continues from there"):
            time_all(run, todo, grid.budget, grid.processes, grid.memory)
    place = saved(run.record, path)
    _print(run.record)
    finish(run.record, path, place)


@click.command(**described("convparity diff before.json after.json"))
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--across-machines", is_flag=True, help="Compare although the machines are not the same.")
def diff(before: Path, after: Path, across_machines: bool) -> None:
    """Compares the times of two runs: what became slower or faster? Exit status 1 if anything became slower."""
    from common.bench import regressions
    from common.results.record import load
    from common.results.writing import ResultsError
    from report.sections import diff as text
    from report.text import plain

    old, new = load(before), load(after)
    changes = regressions.diff(old, new)
    if not across_machines and not regressions.same_machine(old, new):
        differing = [name for name, *_ in changes.environment if name in regressions.MACHINE]
        raise ResultsError(
            f"{before} and {after} are not from one machine and setting ({', '.join(differing)} differ): the times "
            "say nothing about the code; --across-machines compares them anyway"
        )
    if changes.environment:
        click.echo(plain(text.environments(changes)) + "\n")
    click.echo(plain(text.changes(changes)))
    click.echo(text.summary(changes))
    if changes.regressions:
        sys.exit(EXIT_DISAGREE)
