"""In float64, built to follow the spec, every framework agrees at every level with no exception."""

from collections.abc import Iterator

import pytest

import frameworks
from common.check.judge import expectations
from common.processes.pool import Worker
from common.protocols import Backend
from common.spec.catalogue import Case, cases, float64_cases
from tests.support.graphs import EVERYTHING, MODERN

IDS = ("grouped_conv-unequal", "conv_bn_act-eps_momentum", "depthwise_separable-s2_sides", "ghost_module-r3")
GRAPHS = [Case("graph", graph, (3, 4, 9, 8)) for graph in (EVERYTHING, MODERN)]
CHOSEN = [*(case for case in cases() if case.id in IDS), *GRAPHS]
OPTIMISED = "--xla_cpu_use_fusion_emitters=false"  # XLA's convolutions in float64 are loops: fast only if optimised
CASES = [*(case.cast("float64") for case in CHOSEN), *float64_cases()]


@pytest.fixture
def worker(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A process of its own: JAX decides once in its life whether it has float64."""
    monkeypatch.setenv("XLA_FLAGS", OPTIMISED)
    worker = Worker(backend.NAME, frameworks.BACKENDS[backend.NAME][0], threads=1, x64=True)
    yield worker
    worker.stop()


def test_float64_agrees_with_no_exception(worker: Worker) -> None:
    assert len(CASES) == len(IDS) + len(GRAPHS) + len(float64_cases())
    for case in CASES:
        results, _ = worker.ask("check", case, expectations(case))
        assert not [result.message for result in results if not result.passed]
        assert "trajectory" in {result.level for result in results}
        assert "known_differences" not in {result.level for result in results}
