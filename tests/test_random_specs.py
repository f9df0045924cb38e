"""No false alarm: random correct specs, built from their graphs, agree in every framework at every level.

``make soak`` draws 2,000 of them.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

import frameworks
from common.bench import machine
from common.bench.pool import Worker
from common.catalogue import Case
from common.check import expectations
from common.spec import BlockSpec
from common.values import Shape
from tests.conftest import wanted
from tests.strategies import specs

UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> Iterator[list[Worker]]:
    started = [
        Worker(name, frameworks.BACKENDS[name][0], threads=machine.processors()) for name in wanted(request.config)
    ]
    yield started
    for worker in started:
        worker.stop()


def test_random_specs_agree(workers: list[Worker], request: pytest.FixtureRequest) -> None:
    count: int = request.config.getoption("--soak")  # pyright: ignore[reportAssignmentType]
    drawn = set()

    @settings(max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=UNHURRIED)
    @given(specs())
    def agree(example: tuple[BlockSpec, Shape]) -> None:
        case = Case("random", *example)
        drawn.add(repr(example))
        expectation = expectations(case)
        for worker in workers:
            worker.post("check", case, expectation)
        results = [result for worker in workers for result in worker.collect()]
        # A random graph's output may well be constant (a ReLU of nothing but negatives): only training tells then.
        failed = [result.message for result in results if not result.passed and result.level != "case"]
        assert not failed, "\n".join(failed)

    agree()
    assert len(drawn) > 0.9 * count, "hypothesis drew the same specs again and again"
