"""Points at which a framework is known to differ from the spec: it does so, and gives what its row says."""

from pathlib import Path

import numpy as np
import pytest

import frameworks
from common.oracle import backprop, reference
from common.protocols import Backend
from common.spec.differences import Point, points

ROOT = Path(frameworks.__file__).parent
POINTS = [(name, point) for name in frameworks.BACKENDS for point in points(ROOT / name)]


def reference_at(point: Point, x: np.ndarray) -> np.ndarray:
    if point.of == "output":
        return reference.run(point.spec, {}, x)["layer"]
    return backprop.train(point.spec, {}, x, np.ones_like(x)).gradients["input"]


@pytest.mark.parametrize("point", [point for _, point in POINTS], ids=[f"{name}-{point.id}" for name, point in POINTS])
def test_a_point_where_one_framework_differs(backend: Backend, point: Point) -> None:
    """The framework of the row gives what the row says; one without such a row gives what the reference does."""
    x = np.array(point.x, np.float32).reshape(1, -1, 1, 1)
    built = backend.build(point.spec, {})
    found = built.forward(x) if point.of == "output" else built.gradients(x, np.ones_like(x))["input"]
    declared = {row.id: row.given for row in points(ROOT / backend.NAME)}
    right = reference_at(point, x).ravel()
    np.testing.assert_allclose(found.ravel(), declared.get(point.id, right), rtol=1e-5, atol=0)
    assert not np.allclose(right, point.given, rtol=1e-3, atol=0), "the row says nothing"
