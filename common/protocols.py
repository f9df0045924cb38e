"""What a backend is: a module that satisfies `Backend`; no base class, no registration."""

import contextlib
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, Protocol, cast

import numpy as np

from common.config import NotAvailable, configured
from common.files import MOST
from common.oracle.optimisers import Optimiser
from common.spec import BlockSpec
from common.spec.differences import Difference
from common.spec.params import Arrays


def _nothing() -> None: ...


@contextlib.contextmanager
def as_far_as_it_comes(seen: Sized) -> Iterator[None]:
    """Keeps what was ``seen`` in a block that raises; raises if that is nothing."""
    try:
        yield
    except Exception:
        if not seen:
            raise


@dataclass(frozen=True)
class Timed:
    """A call to be timed, on arrays that are already on the device, and a way to see that it did what it should.

    ``call`` returns when the result is there, not when the work is queued; the first may compile. By mode it is

    - ``forward``: the output in evaluation mode; ``result`` is ``{"output": y}``;
    - ``gradients``: forward in training mode and backward from the cotangent ``dy``; ``result`` has ``output``,
      ``input`` and the gradient of every trained array by canonical name;
    - ``step``: forward, backward and one step of `common.oracle.optimisers.SGD`, no gradient of the input; the output
      is computed, as the loss of a step that reports it would need it; ``result`` is every trained array afterwards.

    ``result`` is of the last call, canonical (NCHW, OIHW) and in float32 or float64. ``restore`` puts the initial
    arrays and optimiser state back and drops what calls have left behind. ``planned`` is the bytes of temporaries and
    outputs that a compiler planned, if it says; known once ``call`` has run.
    """

    call: Callable[[], None]
    result: Callable[[], Arrays]
    restore: Callable[[], None] = _nothing
    planned: Callable[[], int | None] = _nothing


class Inference(Protocol):
    """A spec built once in one framework, holding given parameters, to be run many times: what every backend has."""

    @property
    def native(self) -> Any:
        """The framework's own object: nn.Module, nn.Layer, nnx.Module, or (apply, params, stats) in JAX."""
        ...

    @property
    def device(self) -> str:
        """Where its arrays are: one of its backend's `Backend.devices`."""
        ...

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The output in evaluation mode; NCHW in and out.

        Raises:
            SpecError: if ``x`` is no array of real numbers, or of a shape that the block cannot take.
        """
        ...

    def load(self, params: Arrays) -> None:
        """Replaces every array by a canonical one.

        Raises:
            ValueError: if they do not fit the spec.
        """
        ...

    def params(self) -> Arrays:
        """Every array that the framework now holds, by canonical name and in canonical layout."""
        ...

    def trainable(self) -> frozenset[str]:
        """Canonical names of what an optimiser of this framework would update."""
        ...


class Trained(Inference, Protocol):
    """And what may be asked of it besides. A backend may lack any of it: see `as_variant`."""

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        """The output in training mode; moves the running statistics."""
        ...

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        """Gradients of ``sum(output * dy)`` in training mode: ``input`` (NCHW) and every trainable array."""
        ...

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        """Every array after each step of the framework's own optimiser on ``sum(output * dy)``, from pairs (x, dy)."""
        ...

    def fit(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> np.ndarray:
        """The loss at each step of the framework's own optimiser and cross-entropy, from pairs (x, int64 labels).

        The block's output must be logits ``[n, classes]``; the loss is the batch's mean, taken before the step. The
        block keeps what it has learnt.
        """
        ...

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        """Outputs of the spec's nodes by name, and their gradients; of all nodes that can be seen in this framework.

        In evaluation mode without gradients, or for a cotangent ``dy`` in training mode with them. NCHW. Of a block
        that raises: what could be seen before it did.
        """
        ...

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        """What is timed: see `Timed` for what a call does, and `common.config.Config` for the choices.

        Raises:
            ValueError: for a mode, form or layout that this framework does not have.
        """
        ...


class Layout(Protocol):
    """A framework's ``layout`` module: flat dicts of its own arrays to and from canonical ones, by one rule for all."""

    def from_native(self, state: Arrays) -> Arrays: ...

    def to_native(self, arrays: Arrays) -> Arrays: ...


class Files(Protocol):
    """A framework's ``files`` module: flat dicts of its own arrays on disk, in the formats that its users have."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a module's constant
        """The formats; an empty suffix is a directory."""
        ...

    def read(self, path: Path, most: int = MOST, numbers: bool = True) -> tuple[Arrays, list[str]]:
        """The arrays by native name, and sentences about what was taken off around them; nothing is executed.

        Neither the file nor its arrays may take more than ``most`` bytes. Without ``numbers`` each array may be its
        `common.spec.params.shell`: so it is where a format has shapes apart from the numbers.

        Raises:
            PortError: for what it will not read. A damaged file may raise anything.
        """
        ...

    def write(self, path: Path, native: Arrays) -> None:
        """Writes what `Layout.to_native` gives."""
        ...


class InferenceBackend(Protocol):
    """One framework, or an engine that runs another's block. Importing the module imports the framework."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a module's constant

    @property
    def DIFFERENCES(self) -> tuple[Difference, ...]:  # noqa: N802 - a module's constant
        """What this framework is known to do differently from the spec."""
        ...

    def environment(self) -> dict[str, str]:
        """Versions, threads and flags that bear on results, as they are in this process."""
        ...

    def devices(self) -> tuple[str, ...]:
        """Devices that can be built on, the default (an accelerator if there is one) first."""
        ...

    def build(
        self,
        spec: BlockSpec,
        params: Arrays,
        *,
        dtype: str = "float32",
        device: str | None = None,
        strict: bool = False,
        variant: str = "reference",
    ) -> Inference:
        """The block in this framework holding ``params`` (canonical), on ``device`` (default: the first).

        A spec whose family is not in the catalogue is built from its graph, layer by layer. ``strict`` replaces the
        layers that train differently from the spec (see known_differences.toml) by ones that follow it. ``variant``
        ``tuned`` is the same function in the fastest form that was found for this framework on this device.
        ``ready-made`` is what the framework itself has for this block, and left as it is.

        Raises:
            ValueError: for arrays that do not fit the spec, or a dtype, device or variant that cannot be had.
        """
        ...


class Backend(InferenceBackend, Protocol):
    """A framework that can be trained, timed and looked into."""

    def build(
        self,
        spec: BlockSpec,
        params: Arrays,
        *,
        dtype: str = "float32",
        device: str | None = None,
        strict: bool = False,
        variant: str = "reference",
    ) -> Trained: ...


OPTIONAL = tuple(name for name in vars(Trained) if not name.startswith("_"))


class _Refusing:
    """A built block, and in the place of what it lacks what says so when it is called."""

    def __init__(self, built: Inference, backend: str) -> None:
        self._built, self._backend = built, backend

    def __getattr__(self, name: str) -> Any:
        if name not in OPTIONAL or hasattr(self._built, name):
            return getattr(self._built, name)

        def refuse(*_: object, **__: object) -> NoReturn:
            raise NotAvailable(f"`{name}` is not implemented by backend `{self._backend}`")

        return refuse


def as_variant(backend: InferenceBackend, variant: str = "", device: str = "") -> Backend:
    """The backend with one variant of every block on one device for its only ones, to be checked as any other is.

    Without them they are the backend's own, or a caller's. What a block lacks of `Trained` raises `NotAvailable`
    when it is called.
    """
    fixed = {name: value for name, value in (("variant", variant), ("device", device)) if value}

    def build(*arguments: Any, **options: Any) -> Any:
        built = backend.build(*arguments, **fixed | options)
        return built if all(hasattr(built, name) for name in OPTIONAL) else _Refusing(built, backend.NAME)

    name = configured(backend.NAME, variant or "reference", device=device).label
    parts = {"NAME": name, "DIFFERENCES": backend.DIFFERENCES, "build": build}
    return cast(Backend, SimpleNamespace(**parts, environment=backend.environment, devices=backend.devices))
