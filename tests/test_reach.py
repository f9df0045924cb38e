"""Which mistakes with an option no case of a block would show: computed from the cases alone, and there are none."""

import builtins
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from common.check.judge import expect
from common.layers import AvgPool2d, BatchNorm2d, Conv2d, GlobalAvgPool2d
from common.layers.values import SpecError, storable
from common.oracle import reference
from common.spec import BlockSpec, Node
from common.spec.blocks import mobilenet
from common.spec.catalogue import CATALOGUE, Case, names
from common.spec.params import randomised

# By what a port does with an option's value: of a pair (height, width), and of sides ((top, bottom), (left, right)).
PAIRS: dict[str, Callable[[Any], Any]] = {
    "axes exchanged": lambda v: v[::-1],
    "height's for both": lambda v: (v[0], v[0]),
    "width's for both": lambda v: (v[1], v[1]),
}
SIDES: dict[str, Callable[[Any], Any]] = PAIRS | {
    "sides exchanged": lambda v: (v[0][::-1], v[1][::-1]),
    "first side for both": lambda v: ((v[0][0],) * 2, (v[1][0],) * 2),
    "last side for both": lambda v: ((v[0][1],) * 2, (v[1][1],) * 2),
}
Mistake = Callable[[BlockSpec], BlockSpec]


def remade(spec: BlockSpec, **options: Any) -> BlockSpec:
    return CATALOGUE[spec.family].make(**{**spec.options, **options})


def of_options(family: str) -> Iterator[tuple[str, Mistake]]:
    """Every mistake with the value of one option, and every option left at its default."""
    signature = inspect.signature(CATALOGUE[family].make).parameters
    defaults = {name: p.default for name, p in signature.items() if p.default is not p.empty}
    for option, value in CATALOGUE[family].cases[0].spec.options.items():
        forms = SIDES if option == "padding" else PAIRS if isinstance(value, tuple) else {}
        for name, form in forms.items():
            yield f"{option}: {name}", lambda spec, o=option, f=form: remade(spec, **{o: f(spec.options[o])})
        if option in defaults and option not in ("group_aware_init", "dropout"):  # these change no output
            yield f"{option} left at its default", lambda spec, o=option: remade(spec, **{o: defaults[o]})


def layers_changed(kind: type, change: Callable[[Any], Any]) -> Mistake:
    def mistake(spec: BlockSpec) -> BlockSpec:
        nodes = [replace(n, layer=change(n.layer)) if isinstance(n.layer, kind) else n for n in spec.nodes]
        return replace(spec, nodes=tuple(nodes))

    return mistake


def rounded(spec: BlockSpec) -> BlockSpec:
    """Channels rounded to the nearest integer instead of down."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilenet, "int", lambda value: builtins.round(value), raising=False)
        return remade(spec)


MISTAKES: dict[str, list[tuple[str, Mistake]]] = {family: list(of_options(family)) for family in names()}
MISTAKES["mobilenet_v1"] += [
    ("channels rounded to the nearest", rounded),
    ("pool over the whole map", layers_changed(AvgPool2d, lambda _: GlobalAvgPool2d())),
]


def shows(case: Case, mistake: Mistake) -> bool:
    """Whether the block with the mistake has other arrays than the case's, or another output."""
    try:
        wrong = mistake(case.spec)
        if wrong.nodes == case.spec.nodes:
            return False
        if wrong.params() != case.spec.params() or wrong.output_shape(case.input_shape) != case.spec.output_shape(
            case.input_shape
        ):
            return True
    except SpecError:
        return True
    if _momenta(wrong) != _momenta(case.spec):
        return case.trained  # the running statistics show it
    right = expect(case, "random")
    y = reference.run(wrong, storable(randomised(case.spec, case.seed), case.dtype), right.x)[wrong.nodes[-1].name]
    return bool((np.abs(y - right.y) > right.allowance).any())


def _momenta(spec: BlockSpec) -> list[float]:
    return [node.layer.momentum for node in spec.nodes if isinstance(node.layer, BatchNorm2d)]


@pytest.mark.parametrize("family", names())
def test_a_case_shows_every_mistake_with_an_option(family: str) -> None:
    cases = sorted(CATALOGUE[family].cases, key=lambda case: np.prod(case.input_shape))
    unseen = [name for name, mistake in MISTAKES[family] if not any(shows(case, mistake) for case in cases)]
    assert not unseen


def test_a_mistake_that_no_case_shows_is_told() -> None:
    square = Case("square", CATALOGUE["standard_conv"].make(3, 4), (1, 3, 8, 8))
    mistakes = dict(MISTAKES["standard_conv"])
    assert not shows(square, mistakes["stride: axes exchanged"])
    assert shows(CATALOGUE["standard_conv"].cases[-1], mistakes["stride: axes exchanged"])


@pytest.mark.parametrize("family", names())
def test_a_case_has_a_batch_above_three(family: str) -> None:
    assert any(case.input_shape[0] > 3 for case in CATALOGUE[family].cases)


def _stride_with_dilation(node: Node) -> bool:
    layer = node.layer
    return isinstance(layer, Conv2d) and any(s > 1 and d > 1 for s, d in zip(layer.stride, layer.dilation, strict=True))


@pytest.mark.parametrize("family", [name for name in names() if "dilation" in CATALOGUE[name].cases[0].spec.options])
def test_a_case_has_a_stride_and_a_dilation_on_one_axis(family: str) -> None:
    assert any(_stride_with_dilation(node) for case in CATALOGUE[family].cases for node in case.spec.nodes)


@pytest.mark.parametrize("family", names())
def test_every_node_is_in_a_case_that_is_trained(family: str) -> None:
    cases = CATALOGUE[family].cases
    trained = {node.name for case in cases if case.trained for node in case.spec.nodes}
    assert not {node.name for case in cases for node in case.spec.nodes} - trained
