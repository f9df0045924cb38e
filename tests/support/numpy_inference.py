"""A backend that has inference alone, as a new one has at first."""

import os

from common.spec import BlockSpec
from common.spec.params import Arrays
from tests.support.numpy_backend import DIFFERENCES, Inferred, devices, environment

__all__ = ["DIFFERENCES", "NAME", "build", "devices", "environment"]
NAME = "newcomer"


def build(
    spec: BlockSpec,
    params: Arrays,
    *,
    dtype: str = "float32",
    device: str | None = None,
    strict: bool = False,
    variant: str = "reference",
) -> Inferred:
    return Inferred(spec, params, os.environ.get("CONVPARITY_TEST_FAULT", ""), dtype, device or devices()[0])
