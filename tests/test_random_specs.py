"""No false alarm: random correct specs agree in every framework at every level.

They are graphs, built layer by layer, and the blocks that are written by hand, with random options; networks are
judged in evaluation only. ``make soak`` draws 2,000 graphs and 1,000 blocks for the reference variants, 500 and 200
for the tuned ones.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis.strategies import SearchStrategy

import frameworks
from common.check.judge import Expectation, expect, expectations
from common.layers import Softmax
from common.layers.values import Shape
from common.processes import machine
from common.processes.pool import Worker, WorkerFailed
from common.spec import BlockSpec, inputs
from common.spec.catalogue import NETWORKS, Case, names
from tests.conftest import wanted
from tests.support.block_strategies import blocks
from tests.support.strategies import specs

PARTS = 4
UNHURRIED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
RENEWED = 100  # specs after which every framework gets a new process


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--soak"))  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def workers(request: pytest.FixtureRequest) -> Iterator[list[Worker]]:
    started = [Worker(name, frameworks.BACKENDS[name][0], machine.processors()) for name in wanted(request.config)]
    yield started
    for worker in started:
        worker.stop()


def saturated(case: Case, expectation: Expectation) -> bool:
    """Whether a softmax gives less than Paddle's ever does: see its known_differences.toml."""
    outputs = [item.y for item in expectation.inputs]
    outputs += [expectation.training.one_pass.exact["output"]] if expectation.training else []
    return isinstance(case.spec.nodes[-1].layer, Softmax) and min(y.min() for y in outputs) < np.exp(-60)


def failures(case: Case, expectation: Expectation, workers: list[Worker], variant: str) -> list[str]:
    """What does not agree, all backends asked at once; every answer is collected, whatever another says."""
    messages = []
    for worker in workers:
        worker.post("check", case, expectation, variant)
    for worker in workers:
        try:
            results, _ = worker.collect()
        except WorkerFailed as error:
            messages.append(f"{worker.name}: {error}")
        else:
            # A random graph's output may well be constant (a ReLU of nothing but negatives): only training tells then.
            messages += [result.message for result in results if not result.passed and result.level != "case"]
    return messages


def agree(
    part: int,
    strategy: SearchStrategy[tuple[BlockSpec, Shape]],
    count: int,
    variant: str,
    workers: list[Worker],
    train: bool = True,
) -> None:
    """Draws ``count`` specs, the same in every run; checks each in every framework, in training too if ``train``."""
    drawn = set()

    @seed(part)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=UNHURRIED)
    @given(strategy)
    def check(example: tuple[BlockSpec, Shape]) -> None:
        case = Case("random", *example)
        expectation = expectations(case) if train else Expectation(tuple(expect(case, kind) for kind in inputs.KINDS))
        assume(not saturated(case, expectation))
        drawn.add(repr(example))
        if len(drawn) % RENEWED == 0:
            for worker in workers:
                worker.stop()
            print(f"part {part}: {len(drawn)} specs", flush=True)
        assert failures(case, expectation, workers, variant) == []

    check()
    print(f"part {part}: {len(drawn)} different specs", flush=True)
    # One or two it draws twice.
    assert len(drawn) > max(0, 0.9 * count - 2), "hypothesis drew the same specs again and again"


@pytest.mark.parametrize(
    ("part", "variant"), [*((part, "reference") for part in range(PARTS)), (PARTS, "tuned")], ids=str
)
def test_random_graphs_agree(part: int, variant: str, workers: list[Worker], soak: int) -> None:
    agree(part, specs(), soak // PARTS, variant, workers)


@pytest.mark.parametrize("variant", ["reference", "tuned"])
@pytest.mark.parametrize("family", names())
def test_blocks_with_random_options_agree(family: str, variant: str, workers: list[Worker], soak: int) -> None:
    count = soak // (20 if variant == "reference" else 100)
    # Training amplifies rounding without bound in a deep network whose norms are over a few values.
    agree(0, blocks(family, wide=variant == "tuned"), count, variant, workers, train=family not in NETWORKS)
