"""Every case of the catalogue in every framework; ids read ``paddle-depthwise_separable-s2``."""

import importlib

import pytest

from common.check.judge import check
from common.check.training import LEVELS
from common.protocols import Backend
from common.spec.catalogue import Case, cases, names


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_parity(backend: Backend, case: Case) -> None:
    results = check(case, backend)
    levels = set(LEVELS) - (set() if any(not p.trainable for p in case.spec.params()) else {"buffers"})
    expected = {"builds", "shape", "parameters", "forward", *(levels if case.trained else ())}
    assert expected <= {result.level for result in results}
    failed = [result.message for result in results if not result.passed]
    assert not failed, "\n".join(failed)


def test_every_block_is_written_by_hand(backend: Backend) -> None:
    """What is not would be built from its graph, layer by layer, and pass."""
    assert set(importlib.import_module(f"frameworks.{backend.NAME}.blocks").BLOCKS) == set(names())
