"""The commands of porting: explain, port, compare."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from report.commands import names
from report.commands.shared import EXIT_DISAGREE, described, writable

_frameworks = names.completing(names.backends)
_map = click.option(
    "--map",
    "map_",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The pairs of layers or arrays, in the form that --save-map writes.",
)
_save_map = click.option(
    "--save-map", type=click.Path(path_type=Path), metavar="FILE", help="Write the pairs of layers that were matched."
)


@click.command(**described("convparity explain ghost_module --from torch --to paddle"))
@click.argument("block", required=False, **names.completing(names.blocks))
@click.option(
    "--symptom",
    metavar="NAME",
    help="The pitfalls that show themselves so, instead of a block.",
    **names.completing(names.symptoms),
)
@click.option("--from", "source", required=True, metavar="NAME", help="The framework to port from.", **_frameworks)
@click.option("--to", "target", required=True, metavar="NAME", help="The framework to port to.", **_frameworks)
def explain(block: str | None, symptom: str | None, source: str, target: str) -> None:
    """Prints how a block is ported: both implementations, where the arrays go, the rules and the pitfalls.

    With --symptom it prints the pitfalls of the port that show themselves so, such as training-diverges.
    """
    from report.guide.explain import explain, explain_symptom

    if (block is None) == (symptom is None):
        raise click.UsageError("give either a block or --symptom")
    text = explain(block, source, target) if block else explain_symptom(symptom or "", source, target)
    if sys.stdout.isatty():
        _leaf(text)
    else:
        click.echo(text, nl=False)


def _leaf(text: str) -> None:
    """Draws Markdown on the terminal, in the user's pager if it is longer than the screen."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    with console.capture() as drawn:
        console.print(Markdown(text))
    os.environ.setdefault("LESS", "-FRX")
    click.echo_via_pager(drawn.get())


@click.command(
    **described("convparity port net.pt --from torch --to flax --block mobilenet_v1 --set alpha=0.5 -o net.msgpack")
)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("--from", "from_", metavar="NAME", help="The framework that IN belongs to.", **_frameworks)
@click.option("--to", metavar="NAME", help="The framework that OUT is for.", **_frameworks)
@click.option("--block", metavar="NAME", help="The block whose weights these are.", **names.completing(names.blocks))
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="An option of the block; repeatable.")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="Its suffix decides the format.",
)
@click.option("--from-module", metavar="A", help="Any network, instead of --block: the one that IN belongs to.")
@click.option("--to-module", metavar="B", help="The network that OUT is for.")
@click.option(
    "--input", "sizes", multiple=True, metavar="NxCxHxW", help="An input of both networks, as in `convparity compare`."
)
@click.option("--training", is_flag=True, help="Verify that both networks train alike, too.")
@click.option("--align", is_flag=True, help="Match layers that have other names, by their order and shapes.")
@_map
@_save_map
def port(
    source: Path,
    from_: str | None,
    to: str | None,
    block: str | None,
    assignments: tuple[str, ...],
    output: Path,
    from_module: str | None,
    to_module: str | None,
    sizes: tuple[str, ...],
    training: bool,
    align: bool,
    map_: Path | None,
    save_map: Path | None,
) -> None:
    """Writes the weights in IN, a file of one framework, to OUT, a file of another: bit for bit, and verified.

    \b
    torch:      .pt .pth .safetensors
    paddle:     .pdparams .safetensors
    jax, flax:  .msgpack .npz .safetensors, and directories (Orbax)

    The weights are those of a block of this project (--from, --to, --block) or of any network (--from-module,
    --to-module: A and B as in `convparity compare`). Two networks are run with arrays drawn at random and with the
    weights, and OUT is written only if they compute the same.
    """  # noqa: D301 - click takes the character, so it is no raw string
    from report.port.apart import port_apart
    from report.port.assignments import options_of
    from report.port.stored import read_map

    writable(None if output.is_dir() else output, save_map)
    of_block = {"--from": from_, "--to": to, "--block": block, "--set": assignments, "--align": align}
    of_networks = {"--from-module": from_module, "--to-module": to_module, "--input": sizes, "--training": training}
    if from_module or to_module:
        _only(of_networks, 2, of_block)
        from report.port.modules import input_shape

        shapes = [input_shape(size) for size in sizes] or None
        how: dict[str, Any] = {"first": from_module, "second": to_module, "shape": shapes, "training": training}
    else:
        _only(of_block, 3, of_networks)
        how = {"from_": from_, "to": to, "block": block, "options": options_of(assignments), "by_structure": align}
    ported = port_apart(source, output, names=read_map(map_), save_map=save_map, **how)
    for note in ported.notes:
        click.echo(note)
    _show_map(ported.names)
    click.echo(f"wrote {output}")


@click.command(
    **described("convparity compare net.py:Net 'paddle.vision.models:mobilenet_v1(scale=0.5)' --input 1x3x224x224")
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--input",
    "sizes",
    required=True,
    multiple=True,
    metavar="NxCxHxW",
    help="The input's shape, of any rank, for every framework NCHW, or a file x.npy that has it; 2x16:int1000 are "
    "integers below 1000. Repeat it for several inputs.",
)
@click.option("--as-is", is_flag=True, help="With the weights that both hold: which arrays differ, or is it the code?")
@click.option("--output", metavar="NAME", help="Compare this output only: a key, a field or a position.")
@click.option("--layout", type=click.Choice(["nchw", "nhwc"]), help="What JAX and Flax take; detected by default.")
@click.option("--json", "json_", type=click.Path(path_type=Path), metavar="FILE", help="Write a record of it all.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with all layers.")
@_map
@_save_map
def compare(
    first: str,
    second: str,
    sizes: tuple[str, ...],
    as_is: bool,
    output: str | None,
    layout: str | None,
    json_: Path | None,
    html: Path | None,
    map_: Path | None,
    save_map: Path | None,
) -> None:
    """Are two live modules of any two frameworks the same function? Aligns them, copies weights, runs and compares.

    A and B are FILE.py:NAME or PACKAGE.MODULE:NAME. NAME is a module, or a class or function that makes one; arguments
    may follow in parentheses: 'nets.py:Net(width=8)'. The blocks of this project are convparity.BACKEND:BLOCK, such as
    'convparity.jax:mobilenet_v1(alpha=0.5)'.
    """
    from common.port.comparing import How
    from common.results.record import dump
    from common.results.writing import write_text
    from report.guide.hints import hint
    from report.port.modules import compare_targets, input_of, lines
    from report.port.record import page, record_of
    from report.port.stored import read_map, write_map
    from report.runs.progress import passes

    writable(save_map, json_, html)
    how = How(read_map(map_), output, layout, as_is=as_is)
    with passes() as say:
        comparison = compare_targets(first, second, [input_of(size) for size in sizes], how, say)
    if save_map:
        write_map(save_map, comparison.alignment.names)
    record = record_of(comparison, first, second, sizes)
    if json_:
        dump(record, json_)
    if html:
        write_text(html, page(record))
    for note in comparison.notes:
        click.echo(note)
    _show_map(comparison.alignment.names)
    for line in lines(comparison):
        click.echo(line)
    if see := hint(comparison):
        click.echo(f"see: {see}")
    if not comparison.agrees:
        sys.exit(EXIT_DISAGREE)


def _only(options: dict[str, Any], needed: int, others: dict[str, Any]) -> None:
    """Refuses a command without the first ``needed`` of ``options``, or with any of ``others``."""
    for name in list(options)[:needed]:
        if not options[name]:
            raise click.UsageError(
                f"Missing option '{name}': give --from, --to and --block, or --from-module and --to-module."
            )
    for name, value in others.items():
        if value:
            raise click.UsageError(f"Option '{name}' does not go with '{next(iter(options))}'.")


def _show_map(names: dict[str, str]) -> None:
    for name, source_name in names.items():
        if name != source_name:
            click.echo(f"  {name} <- {source_name}")
