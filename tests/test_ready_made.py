"""What a framework itself has for a block is the same function as ours, or the framework does not have it: one line."""

import functools

import pytest

import frameworks
from common.check.judge import Expectation, check, expect, expectations
from common.protocols import Backend, as_variant
from common.spec.catalogue import CATALOGUE, PLAIN, Case, block, cases
from common.spec.inputs import KINDS
from common.spec.params import randomised

MOBILENET = {"classes": 10, "alpha": 0.125, "bias": False, "dropout": 0.0, "softmax": False}
NETWORK = Case("own", block("mobilenet_v1", pool_size=(3, 1), **MOBILENET), (3, 3, 96, 32), also_in_float64=True)
CASES = [case for case in cases() if case.spec.family in PLAIN]
UNEQUAL = [case for case in CASES if any(a != b for a, b in case.spec.options.get("padding", ()))]
HAVE = {"torch": [case for case in CASES if case not in UNEQUAL], "paddle": [*CASES, NETWORK], "flax": CASES}
TRAINED = ("grouped_conv-unequal", "conv_bn_act-eps_momentum", NETWORK.id)


@functools.cache
def expectation(case: Case) -> Expectation:
    return expectations(case) if case.id in TRAINED else Expectation(tuple(expect(case, kind) for kind in KINDS))


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, marks=pytest.mark.needs(name), id=f"{name}-{case.id}")
        for name, have in HAVE.items()
        for case in have
    ],
)
def test_what_a_framework_has_agrees(name: str, case: Case) -> None:
    results = check(case, as_variant(frameworks.load(name), "ready-made"), expectation(case))
    levels = {"parameters", "forward", *(["gradients", "trajectory"] if case.id in TRAINED else [])}
    assert levels <= {result.level for result in results}
    assert not [result.message for result in results if not result.passed]


def test_there_are_cases_of_every_kind() -> None:
    assert set(PLAIN) < set(CATALOGUE)
    assert {case.spec.family for case in HAVE["torch"]} == set(PLAIN)
    assert {case.spec.family for case in UNEQUAL} == {"standard_conv", "grouped_conv", "depthwise_conv", "conv_bn_act"}
    assert NETWORK.trained
    assert set(TRAINED) <= {case.id for case in HAVE["paddle"]}


@pytest.mark.needs("torch")
@pytest.mark.parametrize("case", UNEQUAL, ids=lambda case: case.id)
def test_sides_that_torch_does_not_pad_are_one_line(case: Case) -> None:
    with pytest.raises(ValueError, match=r"^nn\.Conv2d pads both sides alike, not by \(\(.*\)\)$"):
        as_variant(frameworks.load("torch"), "ready-made").build(case.spec, randomised(case.spec))


@pytest.mark.needs("paddle")
def test_paddles_network_is_its_own() -> None:
    native = as_variant(frameworks.load("paddle"), "ready-made").build(NETWORK.spec, randomised(NETWORK.spec)).native
    assert type(native.network).__module__ == "paddle.vision.models.mobilenetv1"


@pytest.mark.needs("paddle")
@pytest.mark.parametrize(("option", "value"), [("bias", True), ("softmax", True), ("dropout", 0.5), ("in_channels", 1)])
def test_what_paddles_network_cannot_be_is_one_line(option: str, value: object) -> None:
    spec = block("mobilenet_v1", **{**MOBILENET, option: value})
    with pytest.raises(ValueError, match=f"^paddle's mobilenet_v1 has `{option}` .*, not {value}$"):
        as_variant(frameworks.load("paddle"), "ready-made").build(spec, randomised(spec))


def test_a_block_that_a_framework_does_not_have_is_one_line(backend: Backend) -> None:
    lines = {"jax": "^jax has no ready-made `ghost_module`: it has functions of arrays, and no layers$"}
    choices = ", ".join(dict.fromkeys(case.spec.family for case in HAVE.get(backend.NAME, [])))
    usual = f"^unknown ready-made block of {backend.NAME} `ghost_module`; choose from {choices}$"
    spec = block("ghost_module", in_channels=4, out_channels=6)
    with pytest.raises(ValueError, match=lines.get(backend.NAME, usual)):
        as_variant(backend, "ready-made").build(spec, randomised(spec))


def test_an_unknown_variant_is_one_line(backend: Backend) -> None:
    with pytest.raises(ValueError, match=r"^unknown variant `own`; choose from reference, tuned, ready-made$"):
        backend.build(NETWORK.spec, randomised(NETWORK.spec), variant="own")
