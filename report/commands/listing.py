"""The command list."""

import click

from report.commands.shared import described


@click.command("list", **described("convparity list -v"))
@click.option("-v", "--verbose", is_flag=True, help="Also print each block's cases and their input shapes.")
def list_(verbose: bool) -> None:
    """The blocks, and the backends with their devices."""
    import frameworks
    from common.processes import machine
    from common.processes.pool import Worker, WorkerFailed
    from common.spec.catalogue import CATALOGUE, cases, float64_cases
    from report.text import shape

    for family, entry in CATALOGUE.items():
        click.echo(f"{family}: {entry.source}")
        if verbose:
            for case in (case for case in (*cases(), *float64_cases()) if case.spec.family == family):
                click.echo(f"    {case.id}  {shape(case.input_shape)}")
    for name in frameworks.BACKENDS:
        if reason := frameworks.missing(name):
            click.echo(reason)
            continue
        worker = Worker(name, frameworks.module(name), machine.processors())
        try:
            environment = worker.ask("environment")
            click.echo(f"backend {name}: version {environment[name]}, devices {environment['devices']}")
        except WorkerFailed as error:
            click.echo(f"backend {name}: {error}")
        finally:
            worker.stop()
