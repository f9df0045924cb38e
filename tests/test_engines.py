"""The engines that run an exported torch block compute the reference's function; they do inference only."""

import numpy as np
import pytest

import frameworks
from common.check.comparison import compare_all
from common.check.divergence import trace
from common.check.judge import Expectation, check, examine, expect
from common.config import NotAvailable
from common.protocols import Backend, as_variant
from common.results.record import NOT_TRAINED
from common.session.tasks import task
from common.spec.catalogue import CATALOGUE, Case, block, cases
from common.spec.inputs import KINDS
from common.spec.params import initial, randomised
from tests.conftest import require

TINY = Case("tiny", block("conv_bn_act", in_channels=3, out_channels=4), (2, 3, 8, 9))
# The first two smaller cases of each block.
SMALL = [case for case in cases() if case.trained]
CHOSEN = [case for family in CATALOGUE for case in [case for case in SMALL if case.spec.family == family][:2]]


@pytest.fixture(params=list(frameworks.ENGINES))
def engine(request: pytest.FixtureRequest) -> Backend:
    require(request.config, "torch")
    if reason := frameworks.missing(request.param):
        pytest.fail(reason, pytrace=False) if request.config.getoption("--backend") else pytest.skip(reason)
    return frameworks.load(request.param)


def test_every_block_has_a_case() -> None:
    assert {case.spec.family for case in CHOSEN} == set(CATALOGUE)


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.id)
def test_an_engine_agrees_at_every_level_of_inference(engine: Backend, case: Case) -> None:
    results = check(case, engine, Expectation(tuple(expect(case, kind) for kind in KINDS)))
    assert [result.level for result in results] == ["builds", "shape", "parameters", *["forward"] * len(KINDS), "use"]
    assert not [result.message for result in results if not result.passed]


def test_what_an_engine_does_not_have_is_said_by_name(engine: Backend) -> None:
    results, absent = examine(TINY, engine)
    assert {result.level for result in results} == {"builds", "shape", "parameters", "forward", "use"}
    assert [(item.backend, item.case, item.stage) for item in absent] == [(engine.NAME, TINY.id, NOT_TRAINED)]
    missing = f"`forward_train` is not implemented by backend `{engine.NAME}`"
    assert absent[0].reason == f"not run from `forward_train` on: {missing}"
    with pytest.raises(NotAvailable, match=f"^`trace` is not implemented by backend `{engine.NAME}`$"):
        trace(TINY, as_variant(engine))


def test_what_is_timed_is_right(engine: Backend) -> None:
    item = task(TINY, "forward")
    timed = engine.build(item.spec, item.params).timed("forward", item.x, None, "compiled", "nchw")
    timed.call()
    first = timed.result()
    assert compare_all(first, item.right)[0].problem is None
    kept = first["output"].copy()
    timed.restore()
    timed.call()
    assert np.array_equal(first["output"], kept)
    assert np.array_equal(timed.result()["output"], kept)


def test_a_load_is_seen_and_each_shape_is_compiled(engine: Backend) -> None:
    built = engine.build(TINY.spec, initial(TINY.spec))
    expected = expect(TINY, "random")
    before = built.forward(expected.x)
    built.load(randomised(TINY.spec))
    assert not np.allclose(built.forward(expected.x), before, atol=0.1)
    assert np.all(np.abs(built.forward(expected.x) - expected.y) <= expected.allowance)
    assert built.forward(expected.x[:1, :, :-1]).shape == (1, 4, 7, 9)


def test_an_engine_says_what_it_is(engine: Backend) -> None:
    assert engine.environment()[engine.NAME]
    assert engine.environment()["threads"]
    assert engine.devices() == ("cpu",)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mode": "step"}, "mode of {} `step`; choose from forward"),
        ({"mode": "gradients"}, "mode of {} `gradients`; choose from forward"),
        ({"form": "eager"}, "form of {} `eager`; choose from usual, compiled"),
        ({"layout": "nhwc"}, "layout of {} `nhwc`; choose from native, nchw"),
    ],
)
def test_what_an_engine_cannot_time_is_one_line(engine: Backend, options: dict[str, str], reason: str) -> None:
    built = engine.build(TINY.spec, randomised(TINY.spec))
    with pytest.raises(ValueError, match="^unknown " + reason.format(engine.NAME) + "$"):
        built.timed(**{"mode": "forward", "x": expect(TINY, "random").x, **options})


def test_an_engine_computes_in_float32(engine: Backend) -> None:
    with pytest.raises(ValueError, match=f"^unknown dtype of {engine.NAME} `float64`; choose from float32$"):
        engine.build(TINY.spec, randomised(TINY.spec), dtype="float64")


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    row = frameworks.ENGINES["openvino"]._replace(needs=("no_such_engine",))
    monkeypatch.setitem(frameworks.ENGINES, "openvino", row)
    with pytest.raises(frameworks.MissingFramework, match=r"needs `no_such_engine`: pip install -e '\.\[engines\]'"):
        frameworks.load("openvino")
