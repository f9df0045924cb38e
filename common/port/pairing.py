"""Which output of one module is which of another, and in which layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.names import spelled
from common.port.live import TURNED, Nature
from common.port.weights import PortError


@dataclass(frozen=True)
class Tie:
    """An output of the first and the second, and what turns the second's into the first's layout (see `TURNED`)."""

    first: str
    second: str
    layout: str
    usual: bool = True


def tied(
    right: Mapping[str, np.ndarray],
    actual: Mapping[str, np.ndarray],
    natures: tuple[Nature, Nature],
    output: str | None,
) -> list[Tie]:
    """The outputs by name, or by position if their names differ; only ``output`` if it is given.

    Raises:
        PortError: if there are more in one, or none of the name.
    """
    first, second = list(right), list(actual)
    if output is not None:
        if output not in first:
            raise PortError(f"no output is called `{spelled(output)}`; choose from {', '.join(first)}")
        position = first.index(output)
        other = output if output in second else second[position] if position < len(second) else second[0]
        pairs = [(output, other)]
    elif len(first) != len(second):
        lists = " and ".join(f"{len(names)} ({', '.join(names)})" for names in (first, second))
        raise PortError(f"the modules return {lists} outputs; choose one with --output NAME")
    else:
        pairs = [(name, name) for name in first] if set(first) == set(second) else list(zip(first, second, strict=True))
    last = natures[0].channels_last, natures[1].channels_last
    ties = []
    for a, b in pairs:
        usual = layouts(last, right[a].ndim)
        layout = fitting(actual[b], right[a], usual)
        ties.append(Tie(a, b, layout, layout == usual[0] or actual[b].ndim < 3))
    return ties


def layouts(last: tuple[bool, bool], rank: int) -> tuple[str, ...]:
    """What may turn the second's layout into the first's, the usual one first: maps have channels, tokens come last."""
    if last[0] == last[1] or rank < 3:
        return ("",)
    turn = "from last" if last[1] else "to last"
    return (turn, "") if rank > 3 else ("", turn)


def fitting(actual: np.ndarray, right: np.ndarray, choices: Sequence[str]) -> str:
    """The first of these layouts in which the values agree, else in which the shapes do, else the first."""
    alike = [name for name in choices if TURNED[name](actual).shape == right.shape]
    if len(alike) < 2:
        return (alike or list(choices))[0]
    size = float(np.nan_to_num(np.abs(right), posinf=0).max(initial=0.0))
    close = (name for name in alike if np.allclose(TURNED[name](actual), right, rtol=1e-3, atol=1e-4 * size))
    return next(close, alike[0])


def notes(ties: Sequence[Tie]) -> list[str]:
    """Outputs that are paired by position, or in a layout that is not the usual one."""
    found = [f"output `{tie.first}` is compared with `{tie.second}`" for tie in ties if tie.first != tie.second]
    words = {"": "as it is", "from last": "with its last axis as second", "to last": "with its second axis as last"}
    return found + [f"output `{tie.second}` is compared {words[tie.layout]}" for tie in ties if not tie.usual]
