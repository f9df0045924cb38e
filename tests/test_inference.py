"""A backend may have inference alone: what it does is judged, what it does not is said by name, and nothing crashes."""

from pathlib import Path

import pytest

import frameworks
from common.check.divergence import trace
from common.check.judge import check, examine, expectations
from common.check.training import LEVELS
from common.config import Config, NotAvailable
from common.faults.cases import SEPARABLE
from common.faults.mistakes import FAULTS
from common.protocols import OPTIONAL, as_variant
from common.results.record import NOT_TRAINED, load
from common.session.session import Session
from common.session.tasks import task
from common.spec.catalogue import Case, block
from common.spec.params import randomised
from tests.support import numpy_backend, numpy_inference
from tests.test_cli import status

CASE = Case("tiny", block("conv_bn_act", in_channels=3, out_channels=4), (2, 3, 8, 9))
ROW = frameworks.Row("tests.support.numpy_inference", ("numpy",))


@pytest.fixture(autouse=True)
def right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVPARITY_TEST_FAULT", raising=False)
    monkeypatch.setattr(frameworks, "BACKENDS", {"newcomer": ROW})


def missing(method: str) -> str:
    return f"`{method}` is not implemented by backend `newcomer`"


def test_the_levels_of_inference_are_judged_and_the_others_are_said_not_to_be_run() -> None:
    results, (absent,) = examine(CASE, numpy_inference)
    assert [result.level for result in results] == ["builds", "shape", "parameters", "forward", "forward", "use", "use"]
    assert all(result.passed for result in results)
    assert (absent.backend, absent.case, absent.stage) == ("newcomer", CASE.id, NOT_TRAINED)
    assert absent.reason == f"not run from `forward_train` on: {missing('forward_train')}"


def test_a_backend_with_everything_leaves_nothing_out() -> None:
    results, absent = examine(CASE, numpy_backend)
    assert not absent
    assert set(LEVELS) <= {result.level for result in results}


def test_what_is_wrong_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVPARITY_TEST_FAULT", "offset")
    failed = [result for result in check(CASE, numpy_inference) if not result.passed]
    assert {result.level for result in failed} == {"forward"}
    assert all(not result.layer for result in failed), "no layer can be seen, so none is named"


def test_a_method_that_is_there_and_raises_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A framework's own `NotImplementedError` is no excuse."""

    def forward_train(*_: object) -> None:
        raise NotImplementedError("no such kernel")

    monkeypatch.setattr(numpy_inference.Inferred, "forward_train", forward_train, raising=False)
    results, absent = examine(CASE, numpy_inference)
    assert not absent
    (failed,) = [result for result in results if not result.passed]
    assert failed.level == "forward_train"
    assert "NotImplementedError: no such kernel" in failed.message


@pytest.mark.parametrize("method", OPTIONAL)
def test_a_method_that_is_not_there_says_so_by_name(method: str) -> None:
    built = as_variant(numpy_inference).build(CASE.spec, randomised(CASE.spec))
    with pytest.raises(NotAvailable, match=f"^{missing(method)}$"):
        getattr(built, method)()


def test_a_session_asks_for_nothing_that_is_not_there() -> None:
    session = Session(ROW.module)
    with pytest.raises(NotAvailable, match=missing("timed")):
        session.prepare(task(CASE, "forward"), Config("newcomer"))
    with pytest.raises(NotAvailable, match=missing("fit")):
        session.fit(CASE.spec, randomised(CASE.spec), [], numpy_backend.SGD(), task(CASE, "forward").x)
    with pytest.raises(NotAvailable, match=missing("trace")):
        trace(CASE, as_variant(numpy_inference))


def test_a_mistake_in_training_is_not_missed_but_not_looked_for() -> None:
    session = Session(ROW.module)
    inference, trained = (
        next(fault for fault in FAULTS if fault.case == SEPARABLE and fault.level == level)
        for level in ("forward", "buffers")
    )
    assert session.selftest("tests", inference.id, expectations(SEPARABLE)).level == "forward"
    with pytest.raises(NotAvailable, match="not run from `forward_train` on"):
        session.selftest("tests", trained.id, expectations(SEPARABLE))


def test_a_check_of_it_agrees_and_says_what_it_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.json"
    assert status("check", "-k", "conv_bn_act", "--json", str(path)) == 0
    printed, record = capsys.readouterr(), load(path)
    assert "agrees 6/6" in printed.out
    assert f"training levels: not run from `forward_train` on: {missing('forward_train')}" in printed.err
    assert {item.stage for item in record.unavailable} == {NOT_TRAINED}
    assert len(record.unavailable) == 6
    assert record.complete
