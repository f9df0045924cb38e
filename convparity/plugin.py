"""What pytest finds by its entry point where this project is installed: the fixture ``assert_parity``.

It imports no framework, and not NumPy either, until a test calls the fixture.
"""

from collections.abc import Callable

import pytest

import convparity


@pytest.fixture
def assert_parity() -> Callable[..., None]:
    """`convparity.assert_parity`: fails if two modules of any two frameworks are not the same function."""
    return convparity.assert_parity
