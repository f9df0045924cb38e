"""A live module in this process, which may have packages of our names."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import frameworks
from common.layers.values import Shape
from common.names import first_line
from common.port.live import Cotangents, Live, Observed
from common.port.weights import PortError
from common.spec.params import Arrays
from convparity.packages import Packages


class Isolated:
    """A live module whose code sees its own project's packages when it runs."""

    def __init__(self, native: Any, framework: str, packages: Packages) -> None:
        if reason := frameworks.missing(framework):
            raise PortError(reason)
        self._module = frameworks.part(framework, "live")
        self._native, self._packages = native, packages
        self.layouts = self._module.LAYOUTS

    def open(self, shapes: Sequence[Shape], alone: bool, layout: str) -> None:
        """Makes the copy that is run.

        Raises:
            PortError: if it does not take inputs of these shapes.
        """
        self._live: Live = self._run(lambda: self._module.Live(self._native, shapes, alone, layout))
        self.nature = self._live.nature

    @property
    def notes(self) -> list[str]:
        return self._live.notes

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        return self._run(lambda: self._live.observe(arrays, xs, dys, loose))

    def arrays(self, state: Arrays | None = None) -> Arrays:
        return self._run(lambda: self._live.arrays(state))

    def native(self, arrays: Arrays) -> Arrays:
        return self._run(lambda: self._live.native(arrays))

    def _run(self, call: Callable[[], Any]) -> Any:
        try:
            with self._packages:
                return call()
        except PortError:
            raise
        except Exception as error:  # a program of others
            raise PortError(first_line(error)) from error
