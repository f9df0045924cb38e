"""BlockSpec: a block as a graph of layers, from which everything else about it is derived."""

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from common.layers.base import Layer
from common.layers.values import (
    LARGEST,
    Depths,
    Padding,
    Pair,
    ParamSpec,
    Shape,
    SpecError,
    depths,
    pair,
    positive,
    resolve_padding,
)
from common.names import advice, shown, spelled

INPUT = "input"
MOST_NUMBERS = 2**28  # of a block of the catalogue: a spec that cannot be held is a mistake
MOST_VALUES = 2**48  # of one activation: no machine holds them; what is too large for this one is said when it is run
InitOnly = Annotated[bool, "an option that changes the initial values but not the function"]


@dataclass(frozen=True)
class Node:
    """A layer of a graph under its module path (``depthwise.conv``); no ``inputs`` means the node before it."""

    name: str
    layer: Layer
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class BlockSpec:
    """A block: its family, the complete hyper-parameters, and the graph they give (last node: the output).

    Raises:
        SpecError: for a graph whose names, order or channels do not fit.
    """

    family: str
    options: Mapping[str, Any] = field(hash=False)
    in_channels: int
    nodes: tuple[Node, ...]
    init_only: frozenset[str] = field(default=frozenset(), repr=False)  # the options annotated `InitOnly`

    def __post_init__(self) -> None:
        if not self.nodes:
            raise SpecError(f"block `{self.family}` has no layers")
        channels: dict[str, int | None] = {INPUT: positive("in_channels", self.in_channels)}
        linked, previous = [], INPUT
        for node in self.nodes:
            if node.name in channels:
                raise SpecError(f"`{node.name}` names two layers of `{self.family}`")
            inputs = node.inputs or (previous,)
            if unknown := [name for name in inputs if name not in channels]:
                raise SpecError(
                    f"`{node.name}` reads `{unknown[0]}`, which is not before it; choose from {', '.join(channels)}"
                )
            if len(inputs) > 1 and not node.layer.joins:
                raise SpecError(f"`{node.name}` ({type(node.layer).__name__}) takes one input, not {len(inputs)}")
            try:
                channels[node.name] = node.layer.channels(*(channels[name] for name in inputs))
            except SpecError as error:
                raise SpecError(f"{self.family}: `{node.name}`: {error}") from None
            linked.append(Node(node.name, node.layer, inputs))
            previous = node.name
        object.__setattr__(self, "nodes", tuple(linked))

    @property
    def arguments(self) -> dict[str, Any]:
        """The options that a framework's block is constructed with: all but those about initial values."""
        return {name: value for name, value in self.options.items() if name not in self.init_only}

    @functools.cache  # noqa: B019 - specs are few, small and immutable
    def params(self) -> tuple[ParamSpec, ...]:
        """Every array of the block, in network order, named ``<module path>.<leaf>``."""
        return tuple(
            ParamSpec(f"{node.name}.{param.name}", param.shape, param.role)
            for node in self.nodes
            for param in node.layer.params()
        )

    def shapes(self, input_shape: Sequence[int]) -> dict[str, Shape]:
        """The shape of the input and of every node's output, by name, for an input ``(n, c, h, w)``.

        Raises:
            SpecError: naming the layer that cannot take its input.
        """
        if not isinstance(input_shape, Sequence) or isinstance(input_shape, str | bytes):
            raise SpecError(f"input shape (={shown(input_shape)}) must be (batch, channels, height, width)")
        shape = tuple(input_shape)
        if len(shape) != 4 or not all(type(size) is int and 1 <= size <= LARGEST for size in shape):
            raise SpecError(f"input shape (={shown(shape)}) must be (batch, channels, height, width), each at least 1")
        if shape[1] != self.in_channels:
            raise SpecError(f"input shape (={shape}) has {shape[1]} channels; `{self.family}` takes {self.in_channels}")
        shapes: dict[str, Shape] = {INPUT: shape}
        for node in self.nodes:
            try:
                shapes[node.name] = node.layer.output_shape(*(shapes[name] for name in node.inputs))
            except SpecError as error:
                raise SpecError(f"{self.family}: `{node.name}`: {error}") from None
            if (values := math.prod(shapes[node.name])) > MOST_VALUES:
                raise SpecError(
                    f"{self.family}: `{node.name}` would have {shown(values)} values; at most {MOST_VALUES}"
                )
        return shapes

    def output_shape(self, input_shape: Sequence[int]) -> Shape:
        """The output's shape for an input ``(n, c, h, w)``; raises as `shapes` does."""
        return self.shapes(input_shape)[self.nodes[-1].name]

    def taken(self, **arrays: Any) -> Shape:
        """The output's shape for the input ``x`` (n, c, h, w); ``dy`` is a cotangent of the output, if there is one.

        Raises:
            SpecError: if one is no array of real numbers, or of another shape than the block takes or gives.
        """
        for name, array in arrays.items():
            kind = array.dtype if isinstance(array, np.ndarray) else np.dtype(object)
            if kind.kind not in "fiub" or kind.itemsize > 8 or not kind.isnative:
                rule = "a NumPy array of real numbers of at most 64 bits, in this machine's byte order"
                raise SpecError(f"`{name}` (={shown(array)}) must be {rule}")
        shape = self.output_shape(arrays["x"].shape)
        if "dy" in arrays and arrays["dy"].shape != shape:
            raise SpecError(f"`dy` has shape {arrays['dy'].shape}; the output of `{self.family}` has {shape}")
        return shape


def chain(prefix: str, *layers: tuple[str, Layer]) -> Iterator[Node]:
    """Nodes ``<prefix>.<name>``, each reading the one before it."""
    return (Node(f"{prefix}.{name}" if prefix else name, layer) for name, layer in layers)


def _canonical(name: str, value: Any, kind: Any, options: dict[str, Any]) -> Any:
    """An option's complete form by its annotation; for a padding, ``options`` holds the kernel it belongs to."""
    if kind == Pair:
        return pair(name, value)
    if kind == Depths:
        return depths(name, value)
    if kind == Padding:
        return resolve_padding(value, options["kernel_size"], options["stride"], options["dilation"])
    if kind == InitOnly:
        kind = bool
    if kind in (int, float) and type(value) is int and abs(value) > LARGEST:
        raise SpecError(f"`{name}` (={shown(value)}) must be at most {LARGEST} in size")
    if kind is float and type(value) is int:
        value = float(value)
    if kind in (int, float, bool, str) and type(value) is not kind:
        word = {int: "an integer", float: "a number", bool: "true or false", str: "a word"}[kind]
        raise SpecError(f"`{name}` (={shown(value)}) must be {word}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SpecError(f"`{name}` (={value}) must be finite")
    return value


def family(graph: Callable[..., Sequence[Node]]) -> Callable[..., BlockSpec]:
    """Turns a function that lists a block's nodes into one that returns its BlockSpec, from checked, complete options.

    The decorated function's annotations say what each option becomes: an int for a `Pair` or a `Padding`, or the name
    of a padding rule, is expanded before the function sees it. A `Padding` belongs to the options ``kernel_size``,
    ``stride`` and ``dilation``; `Depths` are a list or tuple. An `InitOnly` is a bool that no framework's block takes.
    The first option is the number of input channels.
    """
    signature = inspect.signature(graph)

    @functools.wraps(graph)
    def make(*args: Any, **kwargs: Any) -> BlockSpec:
        name = graph.__name__
        if unknown := sorted(set(kwargs) - set(signature.parameters)):
            choices = advice(unknown[0], list(signature.parameters), "choose from")
            raise SpecError(f"`{spelled(unknown[0])}` is not an option of `{name}`; {choices}")
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise SpecError(f"`{name}`: {error}; its options are {', '.join(signature.parameters)}") from None
        bound.apply_defaults()
        options: dict[str, Any] = dict(bound.arguments)
        kinds = {option: signature.parameters[option].annotation for option in options}
        for option in sorted(options, key=lambda option: kinds[option] == Padding):  # a padding may need the rest
            options[option] = _canonical(option, options[option], kinds[option], options)
        first = next(iter(options))
        positive(first, options[first])
        init_only = frozenset(option for option, kind in kinds.items() if kind == InitOnly)
        try:
            spec = BlockSpec(name, options, options[first], tuple(graph(**options)), init_only)
        except OverflowError as error:  # a product of options is infinite
            raise SpecError(f"`{name}`: its options are too large: {error}") from None
        if (numbers := sum(param.size for param in spec.params())) > MOST_NUMBERS:
            raise SpecError(
                f"`{name}` with these options has {shown(numbers)} numbers; at most {MOST_NUMBERS} are made"
            )
        return spec

    return make
