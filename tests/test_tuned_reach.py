"""Every branch of the tuned variants is in a case that `convparity check --variant tuned` judges."""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

import frameworks
from common.check.branches import CASES
from common.check.judge import check, expectations
from common.layers import BatchNorm2d, GroupNorm, LeakyReLU
from common.protocols import Backend, as_variant
from common.spec.catalogue import Case, cases, float64_cases
from common.spec.params import randomised
from tests.test_tuned import failures

SINGLE = ("standard_conv", "grouped_conv", "depthwise_conv", "pointwise_conv")
EVERY = (*cases(), *float64_cases(), *CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_branch_agrees_at_every_level(backend: Backend, case: Case) -> None:
    assert failures(check(case, as_variant(backend, "tuned"), expectations(case))) == []


# What a form of JAX's and Flax's may do wrong: a map, and the kernel, read at the wrong pixels.
READS = {"stride", "dilation", "stride and dilation", "sides", "kernel not square"}
FORWARD = READS | {"between", "taken off"}
WANTED = {
    "product": FORWARD - {"dilation", "stride and dilation", "kernel not square"},
    "depthwise": FORWARD | {"multiplier"},
    "shifted": FORWARD,
    "separate": FORWARD,
    "product by the kernel": {"stride"},
    "depthwise by the kernel": READS
    | {"wide", "wide with a rest and a stride", "wide by lines", "by lines", "at once"},
    "patches by the kernel": READS | {"by lines", "at once"},
    "separate by the kernel": READS,
}


def aspects(conv: Any, form: str) -> Iterator[str]:
    """What lies at this convolution of `frameworks.jax.tuned.cpu.Canonical`."""
    from frameworks.jax.tuned import depthwise

    (stride, padding, between, dilation), window = conv.geometry, conv.kernel[:-2]
    taps, width = int(np.prod(window)), conv.dy[-2]
    pieces = 1 if width <= depthwise.SHORT else -(-width // depthwise.PIECE)
    length = -(-width // pieces)
    wide, rest = pieces > 1, pieces * length > width
    at_once = taps <= conv.groups if form == "patches" else taps * length <= depthwise.UNROLLED
    told = {
        "stride": len(set(stride)) > 1,
        "dilation": len(set(dilation)) > 1,
        "stride and dilation": any(s > 1 and d > 1 for s, d in zip(stride, dilation, strict=True)),
        "sides": len(set(padding)) > 1 and any(first != last for first, last in padding),
        "kernel not square": len(set(window)) > 1,
        "between": len(set(between)) > 1,
        "taken off": any(side < 0 for sides in padding for side in sides),
        "multiplier": conv.kernel[-1] > conv.groups,
        "wide": wide,
        "wide with a rest and a stride": wide and rest and stride[-1] > 1,
        "wide by lines": wide and not at_once,
        "by lines": not at_once,
        "at once": at_once,
    }
    return (name for name, true in told.items() if true)


def reached(chosen: Iterable[Case], monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """What each form of JAX's sees in training of the cases; nothing is run."""
    import jax

    from frameworks.jax.built import _step
    from frameworks.jax.tuned import cpu, explain

    seen: dict[str, set[str]] = {}
    choose = cpu.chosen

    def watched(lhs: Any, rhs: Any, params: dict[str, Any]) -> Any:
        choice = choose(lhs, rhs, params)
        if choice.form:
            conv = cpu.canonical(lhs, rhs, params)
            name = f"{choice.form} by the kernel" if conv.backward else choice.form
            seen.setdefault(name, set()).update(aspects(conv, choice.form))
        return choice

    monkeypatch.setattr(cpu, "chosen", watched)
    for case in chosen:
        apply, *arrays = frameworks.load("jax").build(case.spec, randomised(case.spec)).native
        maps = [
            jax.ShapeDtypeStruct((n, *size, c), "float32")
            for n, c, *size in (case.input_shape, case.spec.output_shape(case.input_shape))
        ]
        explain(functools.partial(_step, apply), *arrays, *maps)
    return seen


def unreached(seen: dict[str, set[str]]) -> dict[str, set[str]]:
    left = {form: wanted - seen.get(form, set()) for form, wanted in WANTED.items()}
    return {form: names for form, names in left.items() if names}


@pytest.mark.needs("jax")
def test_the_cases_reach_every_form_of_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = reached((case for case in EVERY if case.spec.family in SINGLE), monkeypatch)
    assert seen.keys() == WANTED.keys()
    assert unreached(seen) == {}


@pytest.mark.needs("jax")
def test_a_form_of_jax_that_no_case_reaches_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = reached((case for case in EVERY if case.name == "many_channels_s23"), monkeypatch)
    others = {form: wanted for form, wanted in WANTED.items() if form != "product by the kernel"}
    assert unreached(seen) == others | {"product": {"sides", "taken off"}}


@pytest.mark.needs("torch")
def test_the_cases_reach_every_form_of_torch() -> None:
    from frameworks.torch.built import convolutions, foldable
    from frameworks.torch.tuned import cpu

    def form(case: Case) -> tuple[str, str, str]:
        count, pairs = convolutions(case.spec), foldable(case.spec)
        depth = "deep" if count >= cpu.DEEP else "compiled" if count >= cpu.COMPILED else "eager"
        norms = any(isinstance(node.layer, BatchNorm2d) for node in case.spec.nodes)
        return depth, "folded" if pairs else "not to be folded" if norms else "without norms", case.dtype

    wanted = {("eager", fold, "float32") for fold in ("folded", "not to be folded", "without norms")}
    wanted |= {("compiled", "folded", "float32"), ("deep", "folded", "float32"), ("deep", "folded", "float64")}
    assert wanted <= {form(case) for case in EVERY if case.trained}


def test_the_cases_reach_every_form_of_paddle() -> None:
    """Norms without arrays, and a LeakyReLU, are what its inference would get wrong."""
    layers = [node.layer for case in EVERY if case.dtype == "float32" for node in case.spec.nodes]
    assert {layer.affine for layer in layers if isinstance(layer, BatchNorm2d)} == {True, False}
    assert any(isinstance(layer, GroupNorm) and not layer.affine for layer in layers)
    assert {bool(layer.negative_slope) for layer in layers if isinstance(layer, LeakyReLU)} == {True, False}


@pytest.mark.needs("flax")
def test_a_depthwise_layer_with_everything_unequal_equals_the_one_of_flax() -> None:
    from flax import nnx

    from frameworks.flax.tuned import DepthwiseConv

    options: dict[str, Any] = {"padding": ((2, 1), (0, 3)), "kernel_dilation": (1, 2), "rngs": nnx.Rngs(0)}
    stock = nnx.Conv(3, 6, (3, 2), (1, 2), feature_group_count=3, **options)
    layer = DepthwiseConv(3, (3, 2), (1, 2), multiplier=2, **options)
    nnx.update(layer, nnx.state(stock))
    x: Any = np.random.default_rng(0).standard_normal((2, 6, 9, 3), np.float32)  # JAX's annotations want its own
    assert np.allclose(layer(x), stock(x), atol=1e-6)
