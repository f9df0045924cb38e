"""A wrong edit in a branch of the tuned code is seen at the case where that branch lies."""

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pytest

import frameworks
from common.check import training
from common.check.branches import CASES
from common.check.comparison import compare_all
from common.check.judge import check, expectations
from common.faults.edits import rewritten
from common.protocols import as_variant
from common.spec.catalogue import Case
from common.spec.params import randomised


@dataclass(frozen=True)
class Mutant:
    """Text of ``frameworks/<module>``, the wrong text in its place, and the case that must show it."""

    name: str
    module: str
    right: str
    wrong: str
    case: str

    @property
    def of_case(self) -> Case:
        return next(case for case in CASES if case.name == self.case)


SIDES = "tuple(side[::-1] for side in geometry.padding)"
OFF = "tuple(s[::-1] if min(s) < 0 else s for s in geometry.padding)"
PADDED = "padded(x, geometry.padding, geometry.between), kernel.shape[:-2], kernel.shape[-2]"
REPEATED = "axis=-1), geometry.padding, geometry.between)"
JAX = (
    Mutant("the rest of a wide map", "jax.tuned.depthwise", "(0, more)", "(more, 0)", "wide_k25"),
    Mutant("stride at a wide rest", "jax.tuned.depthwise", "more * geometry.stride[-1]", "more", "wide_s2_d2"),
    Mutant(
        "depthwise, taken off", "jax.tuned.depthwise", REPEATED, REPEATED.replace("geometry.padding", OFF), "wide_k25"
    ),
    Mutant("shifted, taken off", "jax.tuned.grouped", PADDED, PADDED.replace("geometry.padding", OFF), "many_groups"),
    Mutant("padding of a pixel", "jax.tuned.pointwise", "(*pads, zeros)", "(*pads[::-1], zeros)", "one_pixel_padded"),
    Mutant("around a pixel", "jax.tuned.pointwise", "full_like(y, 0,", "full_like(y, 1,", "one_pixel_padded"),
    Mutant(
        "steps of a pixel",
        "jax.tuned.pointwise",
        "steps = (1, *geometry.stride",
        "steps = (1, *geometry.stride[::-1]",
        "many_channels_s23",
    ),
    Mutant(
        "steps of its gradient",
        "jax.tuned.pointwise",
        "x.shape, (1, *geometry.stride",
        "x.shape, (1, *geometry.stride[::-1]",
        "many_channels_s23",
    ),
    Mutant("a kernel that covers", "jax.tuned.cpu", " and not any(map(any, geometry.padding))", "", "one_pixel_padded"),
    Mutant(
        "order of groups",
        "jax.tuned.grouped",
        "jnp.split(kernel, groups, axis=-1)",
        "jnp.split(kernel, groups, axis=-1)[::-1]",
        "many_a_group",
    ),
    Mutant(
        "sides of groups",
        "jax.tuned.grouped",
        "geometry.stride, geometry.padding, spread",
        f"geometry.stride, {SIDES}, spread",
        "many_a_group",
    ),
    Mutant(
        "gradient of groups",
        "jax.tuned.grouped",
        "x, geometry=geometry",
        f"x, geometry=geometry._replace(padding={SIDES})",
        "many_a_group",
    ),
    Mutant(
        "order of patches",
        "jax.tuned.grouped",
        "list(product(*map(range, lines)))",
        "list(product(*map(range, lines)))[::-1]",
        "many_groups",
    ),
)
OTHERS = (
    Mutant("read twice", "torch.built", " and readers[node.name] == 1", "", "read_twice"),
    Mutant("group norm left", "paddle.tuned.cpu", "isinstance(child, nn.GroupNorm) and", "False and", "read_twice"),
    Mutant("group norm's eps", "paddle.tuned.cpu", ", child._epsilon", "", "read_twice"),
)


def agrees_in_one_pass(case: Case) -> bool:
    """Whether an output in training and its gradients are JAX's tuned variant's; what it raises disagrees."""
    expected = expectations(case).training
    assert expected
    built = as_variant(frameworks.load("jax"), "tuned").build(case.spec, randomised(case.spec, case.seed))
    pairs = zip(training.expected(expected), training.observe(case, built, expected), strict=False)
    try:
        return all(compare_all(given, values)[0].problem is None for (_, _, values), given in islice(pairs, 2))
    except (TypeError, ValueError):
        return False


@pytest.fixture
def retraced() -> Iterator[None]:
    """Equal convolutions share what was traced: here nothing is shared with another test."""
    import jax

    from frameworks.jax.tuned import convolution

    def forget() -> None:
        convolution._shared.cache_clear()
        convolution._compiled.cache_clear()
        jax.clear_caches()

    forget()
    yield
    forget()


@pytest.mark.needs("jax")
@pytest.mark.usefixtures("retraced")
@pytest.mark.parametrize("mutant", JAX, ids=lambda mutant: mutant.name)
def test_a_wrong_edit_in_a_form_of_jax_is_seen(mutant: Mutant) -> None:
    frameworks.load("jax")
    with rewritten(importlib.import_module(f"frameworks.{mutant.module}"), mutant.right, mutant.wrong):
        assert not agrees_in_one_pass(mutant.of_case)


@pytest.mark.needs("jax")
@pytest.mark.usefixtures("retraced")
def test_without_a_wrong_edit_every_form_of_jax_agrees() -> None:
    frameworks.load("jax")
    with contextlib.ExitStack() as rewrites:
        for mutant in {mutant.module: mutant for mutant in JAX}.values():
            module = importlib.import_module(f"frameworks.{mutant.module}")
            rewrites.enter_context(rewritten(module, mutant.right, mutant.right))
        assert all(agrees_in_one_pass(case) for case in {mutant.of_case for mutant in JAX})


@pytest.mark.parametrize(
    "mutant",
    [pytest.param(m, marks=pytest.mark.needs(m.module.split(".")[0]), id=m.name) for m in OTHERS],
)
def test_a_wrong_edit_in_another_variant_is_seen(mutant: Mutant) -> None:
    backend = frameworks.load(mutant.module.split(".")[0])
    with rewritten(importlib.import_module(f"frameworks.{mutant.module}"), mutant.right, mutant.wrong):
        results = check(mutant.of_case, as_variant(backend, "tuned"), expectations(mutant.of_case))
    assert not all(result.passed for result in results)
