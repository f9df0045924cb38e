"""What `tuned` makes of each convolution of a program, and why."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax.extend import core

from . import cpu
from .convolution import tuned_conv_p, xla_conv_p
from .functions import tuned


class Explained(NamedTuple):
    """A convolution: the named scopes and loops around it, its types, its form if it is replaced, and why."""

    where: str
    arrays: str
    form: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.where or 'function'}: {self.arrays}: {self.form or 'left as it is'}: {self.why}"


def explain(function: Callable[..., Any], *arguments: Any, **options: Any) -> list[Explained]:
    """Each convolution of ``tuned(function)`` on a CPU, in the order of the program; one in a loop counts once.

    Arguments may be arrays or `jax.ShapeDtypeStruct`; nothing is run. For what a derivative becomes, explain that:
    ``explain(jax.grad(loss), ...)``.
    """
    leaves, tree = jax.tree.flatten((arguments, options))
    arrays = {i: leaf for i, leaf in enumerate(leaves) if hasattr(leaf, "shape") and hasattr(leaf, "dtype")}

    def run(arrays: dict[int, Any]) -> list[jax.Array]:
        arguments, options = jax.tree.unflatten(tree, [arrays.get(i, leaf) for i, leaf in enumerate(leaves)])
        outputs = jax.tree.leaves(tuned(function)(*arguments, **options))
        return [leaf for leaf in outputs if isinstance(leaf, jax.Array)]

    return list(_convolutions(jax.make_jaxpr(run)(arrays).jaxpr, ()))


def _convolutions(program: core.Jaxpr, around: tuple[str, ...]) -> Iterator[Explained]:
    for equation in program.eqns:
        where = (*around, *filter(None, [str(equation.source_info.name_stack)]))
        if equation.primitive in (tuned_conv_p, xla_conv_p):
            lhs, rhs = (atom.aval for atom in equation.invars)
            arrays = f"{lhs.str_short()} with {rhs.str_short()}"  # type: ignore[attr-defined]
            yield Explained("/".join(where), arrays, *cpu.chosen(lhs, rhs, equation.params))
        for inner in core.jaxprs_in_params(equation.params):
            yield from _convolutions(inner, (*where, equation.primitive.name))
