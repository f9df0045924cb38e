"""No false alarm: random correct specs, built from their graphs, agree in every framework at every level.

``make soak`` draws 2,000 of them.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, seed, settings

import frameworks
from common.bench import machine
from common.bench.pool import Worker, WorkerFailed
from common.catalogue import Case
from common.check import expectations
from common.spec import BlockSpec
from common.values import Shape
from tests.conftest import wanted
from tests.strategies import specs

PARTS = 4
UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
RENEWED = 100  # specs after which processes are started anew: XLA's compiled code piles up in a process


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> Iterator[list[Worker]]:
    started = [Worker(name, frameworks.BACKENDS[name][0], machine.processors()) for name in wanted(request.config)]
    yield started
    for worker in started:
        worker.stop()


def failures(case: Case, workers: list[Worker]) -> list[str]:
    """What does not agree, all backends asked at once; every answer is collected, whatever another says."""
    expectation, messages = expectations(case), []
    for worker in workers:
        worker.post("check", case, expectation)
    for worker in workers:
        try:
            results = worker.collect()
        except WorkerFailed as error:
            messages.append(f"{worker.name}: {error}")
        else:
            # A random graph's output may well be constant (a ReLU of nothing but negatives): only training tells then.
            messages += [result.message for result in results if not result.passed and result.level != "case"]
    return messages


@pytest.mark.parametrize("part", range(PARTS))
def test_random_specs_agree(part: int, workers: list[Worker], request: pytest.FixtureRequest) -> None:
    count: int = request.config.getoption("--soak") // PARTS  # pyright: ignore[reportOptionalOperand]
    drawn = set()

    @seed(part)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=UNHURRIED)
    @given(specs())
    def agree(example: tuple[BlockSpec, Shape]) -> None:
        drawn.add(repr(example))
        if len(drawn) % RENEWED == 0:
            for worker in workers:
                worker.stop()
            print(f"part {part}: {len(drawn)} specs", flush=True)
        assert failures(Case("random", *example), workers) == []

    agree()
    print(f"part {part}: {len(drawn)} different specs", flush=True)
    assert len(drawn) > 0.9 * count, "hypothesis drew the same specs again and again"
