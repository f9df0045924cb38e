"""Any live module as `common.port.comparing` runs it: in float64, with the arrays of the caller, its layers seen."""

import zlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Protocol

import numpy as np

from common.layers.values import Shape
from common.port.weights import PortError, fit_shapes
from common.spec.params import Arrays, Shapes

PRECISION = 2.0**-40
OUTPUT = "output"
DROPOUT_OFF = "dropout is off: its masks differ in every framework"
# From an array of the second module to one of the first: as it is, channels from last to second, or the reverse.
TURNED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "": lambda y: y,
    "from last": lambda y: np.moveaxis(y, -1, 1) if y.ndim > 1 else y,
    "to last": lambda y: np.moveaxis(y, 1, -1) if y.ndim > 1 else y,
}
BACK = {"": "", "from last": "to last", "to last": "from last"}
RANDOM_DEPTHS = ("DropPath", "StochasticDepth", "DropBlock", "DropBlock2d", "DropBlock2D", "DropConnect")
STATISTICS = {"moving_mean": "running_mean", "moving_var": "running_var", "moving_variance": "running_var"}


@dataclass(frozen=True)
class Observed:
    """One pass: outputs by name, and of each layer its first input and its output by module path in order of execution.

    Further calls of a layer are called ``path (call 2)``. These arrays are in the module's own layout. ``arrays`` are
    those after the pass, by canonical name under the module's paths; ``inputs`` the gradients of the inputs, NCHW.
    """

    outputs: Arrays
    layers: Arrays
    entries: Arrays
    arrays: Arrays
    gradients: Arrays = field(default_factory=dict)
    inputs: list[np.ndarray] = field(default_factory=list)
    dropped: list[tuple[str, float]] = field(default_factory=list)  # what dropout would be, by path in order
    calls: list[str] = field(default_factory=list)  # the modules that ran, in order, where that is seen


@dataclass(frozen=True)
class Cotangents:
    """The outputs' cotangents, drawn by the first module's names of them; of the second, in its names and layouts."""

    names: Mapping[str, tuple[str, str]]  # own name: the name in the first, and the layout (see `TURNED`)
    only: bool = False  # whether outputs without a name here have none

    def of(self, shapes: Mapping[str, Shape]) -> Arrays:
        """By own name, of outputs of these shapes."""
        found = {}
        for own, shape in shapes.items():
            name, layout = self.names.get(own, (own, ""))
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            turned = TURNED[layout](np.empty(shape)).shape
            y = TURNED[BACK[layout]](rng.standard_normal(turned))
            found[own] = np.zeros(shape) if self.only and own not in self.names else np.ascontiguousarray(y)
        return found


@dataclass(frozen=True)
class Nature:
    """What is known of a live module before it runs."""

    framework: str
    precision: float  # relative, of the results of training: gradients and running statistics
    shapes: Shapes  # of all arrays, by canonical name under the module's paths, in order of definition
    channels_last: bool = False
    moded: bool = True  # whether a switch between training and evaluation was found
    constants: Arrays = field(default_factory=dict)  # float buffers that are kept as they are
    training: bool = False  # whether it is in training mode as it stands
    kept: tuple[str, ...] = ()  # names in the framework's files of what is no weight: constants, counters
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)  # of layers: see `common.port.settings`


class Live(Protocol):
    """A live module: its copy in float64, dropout off, which runs with the arrays of the caller."""

    @property
    def nature(self) -> Nature: ...

    @property
    def notes(self) -> list[str]:
        """What was changed in the copy, in sentences."""
        ...

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        """A pass on inputs in NCHW in evaluation mode; with the outputs' cotangents ``dys``, in training and back.

        If ``loose`` is given, constants of the program are as a framework has them that keeps them in float32; above 0
        it is the seed of errors of float32 in the norms' eps and in buffers that are constants.
        """
        ...

    def arrays(self, state: Arrays | None = None) -> Arrays:
        """The arrays that the module holds, or those of ``state``, by canonical name; in their own dtypes.

        ``state`` is as the framework's files are read; what is no weight (`Nature.kept`) is left out of it.

        Raises:
            PortError: if the module holds no arrays, or ``state`` has others.
        """
        ...

    def native(self, arrays: Arrays) -> Arrays:
        """The whole state with these canonical arrays, by the names and in the layouts of the framework's files.

        What is no weight (`Nature.kept`) is as in the module; step counters are 0.
        """
        ...


class LiveModule(Protocol):
    """A framework's ``live`` module."""

    LAYOUTS: tuple[str, ...]  # of inputs of rank 3 to 5, the usual one first: "nchw", "nhwc"

    def Live(self, native: Any, shapes: Sequence[Shape], alone: bool, layout: str) -> Live:  # noqa: N802 - a class
        """Of ``native``, for inputs of these shapes in NCHW; ``alone`` if the other is of the same framework."""
        ...


def outputs(value: Any, kind: type, path: str = "") -> dict[str, Any]:
    """The tensors of a result by dotted path: in tuples, lists, dicts and dataclasses; one alone is `OUTPUT`.

    Raises:
        PortError: if there are none.
    """
    found = dict(_flat(value, kind, path))
    if not found:
        raise PortError(f"the module returns {type(value).__name__}, in which there is no tensor")
    return found


def _flat(value: Any, kind: type, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, kind):
        return [(path or OUTPUT, value)]
    if isinstance(value, Mapping):
        children = [(str(name), child) for name, child in value.items()]
    elif names := getattr(value, "_fields", None):
        children = [(name, getattr(value, name)) for name in names]
    elif isinstance(value, list | tuple):
        children = [(str(index), child) for index, child in enumerate(value)]
    elif is_dataclass(value):
        children = [(item.name, getattr(value, item.name)) for item in fields(value)]
    else:
        return []
    return [pair for name, child in children for pair in _flat(child, kind, f"{path}.{name}" if path else name)]


def canonical(state: Arrays, names: Mapping[str, str], shapes: Shapes, kept: Sequence[str]) -> Arrays:
    """A state's arrays by canonical name, in their own layouts, where they have ``shapes``.

    ``names`` are canonical names by those of the state; one of the names of an array is enough. What is ``kept`` in the
    module is left out.

    Raises:
        PortError: listing every name that is missing, unexpected or mis-shaped, or for an array that has two names and
            other numbers under each.
    """
    held = {names[name] for name in state if name in names}
    needed = {name: shapes[own] for name, own in names.items() if name in state or own not in held}
    found: Arrays = {}
    weights = {name: array for name, array in state.items() if name not in kept}
    for name, array in fit_shapes("the network", needed, weights).items():
        own = names[name]
        if not np.array_equal(found.setdefault(own, array), array, equal_nan=True):
            raise PortError(f"`{name}` and `{own}` are one array in the network, and differ in its state")
    return found


def called(name: str, seen: Mapping[str, Any]) -> str:
    """The name of a layer's next call."""
    if name not in seen:
        return name
    return next(key for n in range(2, len(seen) + 3) if (key := f"{name} (call {n})") not in seen)


def permuted(x: np.ndarray, layout: str, back: bool = False) -> np.ndarray:
    """An NCHW array in a layout, or ``back``; of rank 3 to 5."""
    if layout == "nchw" or x.ndim < 3:
        return x
    return np.ascontiguousarray(np.moveaxis(x, -1, 1) if back else np.moveaxis(x, 1, -1))


def buffered(name: str, params: Container[str]) -> bool:
    """Whether a buffer is state that a port carries: a running statistic, or a vector of spectral norm."""
    path, dot, local = name.rpartition(".")
    return "running" in local or (local in ("weight_u", "weight_v") and f"{path}{dot}weight_orig" in params)


def moving(name: str) -> bool:
    """Whether training moves this array apart from the optimiser: a running statistic, or a vector of spectral norm."""
    local = name.rpartition(".")[2]
    return "running" in local or local == "weight_u"  # which `weight_v` follows from, or the reverse


def rate(module: object) -> float:
    """The rate of a module of dropout or stochastic depth, whatever it is called."""
    return float(
        next((r for name in ("rate", "drop_prob", "drop_rate", "p") if (r := getattr(module, name, None))), 0.0)
    )


MODE = (
    "train",
    "training",
    "is_training",
    "is_train",
    "trainable_mode",
    "training_mode",
    "train_mode",
    "mode",
    "phase",
)
OPPOSITE = (
    *("deterministic", "use_running_average", "eval", "is_eval", "evaluation", "inference", "is_inference"),
    *("test", "testing", "is_test", "eval_mode", "inference_mode", "frozen_bn"),
)


def mode(name: str, train: bool) -> Any:
    """What an argument or attribute of this name is in a mode; None if it is no switch of modes."""
    if name in ("mode", "phase"):
        return "train" if train else "eval"
    return train if name in MODE else not train if name in OPPOSITE else None
