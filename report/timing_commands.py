"""The commands of timing: bench, sweep, diff."""

from dataclasses import replace
from pathlib import Path

import click

from report.commands import (
    backend_option,
    block_option,
    described,
    finish,
    json_option,
    profile_option,
    threads_option,
    writable,
)

BUDGET = {"quick": 5.0, "full": 30.0}  # seconds of timing a table


@click.command(**described("convparity bench -k separable_stack --mode forward --mode step --json out.json"))
@backend_option
@block_option
@json_option
@threads_option
@profile_option
@click.option("--mode", "modes", multiple=True, metavar="NAME", help="forward (default), gradients or step; repeats.")
@click.option("--form", "forms", multiple=True, metavar="NAME", help="usual (default), eager or compiled; repeats.")
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="reference (default) or ready-made; repeats."
)
@click.option("--aa", is_flag=True, help="Also time everything against itself: do the intervals hold 1?")
def bench(
    backends: tuple[str, ...],
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

    Engines that run a block exported from torch take part if they are named: -b onnxruntime, -b openvino.
    """
    from common.bench import machine
    from common.bench.tasks import Experiment
    from common.catalogue import known, timed_cases
    from common.measurements import FORMS, MODES, VARIANTS, Config
    from report.run import choose_backends, choose_cases, runner
    from report.timing_run import Saver, time_all

    for kind, given, choices in (("mode", modes, MODES), ("form", forms, FORMS), ("variant", variants, VARIANTS)):
        for name in given:
            known(kind, name, choices)
    names, _ = choose_backends(backends, engines=True)
    configs = [Config(n, v, f) for n in names for v in variants or VARIANTS[:1] for f in forms or FORMS[:1]]
    configs += [replace(config, copy=1) for config in configs] if aa else []
    cases = choose_cases(timed_cases(profile), words)
    experiments = [Experiment(case, mode, tuple(configs)) for case in cases for mode in modes or MODES[:1]]
    writable(json)
    with runner(backends, threads or machine.processors(), len(experiments), profile) as run:
        time_all(run, experiments, BUDGET[profile], save=Saver(json, run.progress.note))
    _print(run.record)
    finish(run.record, json)


def _print(record: object) -> None:
    from common.results import RunRecord
    from report import timing_tables as timing
    from report.tables import plain

    assert isinstance(record, RunRecord)
    for group in timing.groups(record):
        click.echo(f"\n{timing.title(group)}\n{plain(timing.times(record, group))}\n{timing.note(record, group)}")
    if record.memory:
        click.echo(f"\nmemory of a call\n{plain(timing.memory(record))}")
    table, inside, of = timing.same(record)
    if of:
        click.echo(
            f"\neverything against itself\n{plain(table)}\n{inside} of {of} intervals hold 1 ({inside / of:.0%})"
        )


@click.command(**described("convparity sweep report/sweeps/conditions.yaml"))
@click.argument("file", type=click.Path(path_type=Path))
@backend_option
@json_option
@threads_option
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done, and how long it would take.")
def sweep(file: Path, backends: tuple[str, ...], json: Path | None, threads: int | None, only_plan: bool) -> None:
    """Times a grid of cases and configurations that a YAML file describes; docs/sweeps.md has the format.

    Results go to the same name with .json, after every table. A run that was ended, however that came about, goes on
    where it was: what is there is not run again.
    """
    from common.bench.sweeps import plan, read

    from common.bench import machine
    from report.run import choose_backends, runner
    from report.tables import plain
    from report.timing_run import Saver, left, resumed, time_all

    names, _ = choose_backends(backends, engines=True)
    found = read(file, names)
    path = json or file.with_suffix(".json")
    threads = threads or machine.processors()
    before = resumed(path, machine.environment(threads))
    todo = left(before, found.experiments) if before else found.experiments
    if before:
        click.echo(f"{path} has {len(found.experiments) - len(todo)} of {len(found.experiments)} tables already")
    click.echo(plain(plan(todo, found)))
    if only_plan:
        return
    writable(path)
    with runner(backends, threads, len(todo), "sweep") as run:
        if before:
            before.unavailable = [*run.record.unavailable, *(u for u in before.unavailable if u.config)]
            run.record = before
        run.record.title, run.record.about = found.title, found.about
        save = Saver(path, run.progress.note)
        time_all(run, todo, found.budget, found.processes, found.memory, save)
    _print(run.record)
    finish(run.record, path)


@click.command(**described("convparity diff before.json after.json"))
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--across-machines", is_flag=True, help="Compare although the machines are not the same.")
def diff(before: Path, after: Path, across_machines: bool) -> None:
    """What became slower or faster from one run to another; exit status 1 if anything became slower."""
    raise NotImplementedError
