"""What is timed is the block: every mode, form and layout gives the reference's answer, again and again."""

from collections.abc import Iterator

import pytest

import frameworks
from common.check.comparison import compare_all
from common.config import FORMS, LAYOUTS, MODES, Config
from common.processes.pool import Worker
from common.protocols import Backend, Trained
from common.session.tasks import Task, task
from common.spec.catalogue import Case, block
from tests.support import numpy_backend

SEPARABLE = Case("timed", block("depthwise_separable", in_channels=5, out_channels=8, stride=2), (2, 5, 9, 12))
MOBILENET = Case("timed", block("mobilenet_v1", alpha=0.125, classes=10, pool_size=(2, 1)), (2, 3, 64, 32))


def forms(backend: Backend) -> tuple[str, ...]:
    """All but `torch.compile`, which takes long: it compiles C++, and has a test of its own."""
    return ("usual", "eager") if backend.NAME == "torch" else FORMS


def built(backend: Backend, item: Task) -> Trained:
    return backend.build(item.spec, item.params, dtype=item.dtype)


def assert_right(block: Trained, item: Task, form: str, layout: str) -> None:
    """A call, then one after others and `restore`, gives what the reference says."""
    timed = block.timed(item.mode, item.x, item.dy, form, layout)
    timed.call()
    assert not compare_all(timed.result(), item.right)[0].problem
    for _ in range(3):
        timed.call()
    planned = timed.planned()
    assert planned is None or planned > 0
    if item.mode == "step":
        assert compare_all(timed.result(), item.right)[0].problem, "three more steps have changed nothing"
    timed.restore()
    timed.call()
    assert not compare_all(timed.result(), item.right)[0].problem


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "native"])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_right_in_either_layout(backend: Backend, mode: str, layout: str) -> None:
    item = task(SEPARABLE, mode)
    assert_right(built(backend, item), item, "usual", layout)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_right_in_every_form(backend: Backend, mode: str) -> None:
    item = task(SEPARABLE, mode)
    for form in forms(backend)[1:]:
        assert_right(built(backend, item), item, form, "native")


def test_a_network_is_right(backend: Backend) -> None:
    item = task(MOBILENET, "step")
    assert_right(built(backend, item), item, "usual", "native")


@pytest.mark.needs("torch")
@pytest.mark.parametrize("mode", MODES)
def test_torch_compiles_right(mode: str) -> None:
    item = task(SEPARABLE, mode)
    assert_right(built(frameworks.load("torch"), item), item, "compiled", "nhwc")


@pytest.mark.parametrize("mode", MODES)
def test_the_backend_without_a_framework_is_right(mode: str) -> None:
    item = task(SEPARABLE, mode)
    assert_right(numpy_backend.build(item.spec, item.params), item, "usual", "native")


def test_bfloat16_is_right_or_refused(backend: Backend) -> None:
    item = task(SEPARABLE.cast("bfloat16"), "forward")
    if backend.NAME == "paddle":  # its CPU kernels have no such type
        with pytest.raises(RuntimeError, match="bfloat16"):
            assert_right(built(backend, item), item, "usual", "native")
        return
    for form in forms(backend):
        assert_right(built(backend, item), item, form, "native")


@pytest.fixture
def worker(backend: Backend) -> Iterator[Worker]:
    """A process of its own: JAX decides once in its life whether it has float64."""
    worker = Worker(backend.NAME, frameworks.BACKENDS[backend.NAME][0], threads=1, x64=True)
    yield worker
    worker.stop()


def test_float64_is_right(worker: Worker) -> None:
    for mode in MODES:
        worker.ask("prepare", task(SEPARABLE.cast("float64"), mode), Config(worker.name))
        worker.ask("sample", 1, 2)
        assert worker.ask("wrong") is None
