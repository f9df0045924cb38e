"""Tests of networks that others published: `make test-published` installs these and runs them, `make test` does not."""

import importlib.util
from pathlib import Path

import pytest

from tests.support.published import PACKAGES


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("published")
            item.add_marker("slow")
            if missing and config.option.markexpr != "published":
                item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(missing)}: make test-published"))
