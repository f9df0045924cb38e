"""What one module computes of its arrays in each pass, and the other has done once and for all.

A norm is folded into the convolution before it, parallel branches (RepVGG, MobileOne) into one convolution, weight norm
and spectral norm into the weight.

The arrays of the module that has norms are folded as its layers were seen to run: a norm is folded if it takes what a
convolution or linear layer returns, and branches are added if they take the same. Whether the other module computes
the same with the folded arrays is then compared as always, in evaluation.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.port import reparametrised
from common.port.live import Cotangents, Live, Nature, Observed
from common.port.matching import Part, in_order, parts
from common.spec.params import Arrays


@dataclass(frozen=True)
class Branch:
    """A layer and the norm after it, either of which may be missing."""

    layer: str | None
    norm: str | None
    groups: int = 1


@dataclass(frozen=True)
class Fold:
    """The branches that are added in each folded layer, by its name, in order; what is not folded stays.

    ``computed`` counts the layers that have weight norm or spectral norm.
    """

    branches: dict[str, tuple[Branch, ...]]
    nature: Nature
    rest: tuple[str, ...]  # arrays that are not folded
    seen: dict[str, None]  # layers in order of execution
    computed: int = 0

    def text(self, which: str) -> str:
        """What is folded into what, in words; ``which`` is the module."""
        folded = [f"norms of the {which} into {len(self.branches)} layers"] if self.branches else []
        count = "its weight" if self.computed == 1 else f"{self.computed} weights"
        folded += [f"weight norm or spectral norm of the {which} into {count}"] if self.computed else []
        return f"folded {' and '.join(folded)}, which only evaluation can compare"

    @property
    def removal(self) -> str:
        """How the unfolded module becomes the folded one, in its framework."""
        ways = ["fold its norms (torch.nn.utils.fusion, or its own deploy method)"] if self.branches else []
        return " and ".join(ways + (["remove its weight norm or spectral norm"] if self.computed else []))

    def arrays(self, arrays: Arrays) -> Arrays:
        """The arrays as the folded module has them, under the names of this fold."""
        arrays = reparametrised.weights(arrays, self.nature.settings)
        found: Arrays = {}
        for name, branches in self.branches.items():
            done = [self._one(branch, branches, arrays) for branch in branches]
            found[f"{name}.weight".lstrip(".")] = np.sum([weight for weight, _ in done], axis=0)
            found[f"{name}.bias".lstrip(".")] = np.sum([bias for _, bias in done], axis=0)
        return found | {name: arrays[name] for name in self.rest}

    def _one(self, branch: Branch, among: Sequence[Branch], arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
        kernels = [arrays[f"{b.layer}.weight"] for b in among if b.layer is not None]
        largest = max((kernel.shape for kernel in kernels), key=lambda shape: shape[2:])
        if branch.layer is None:
            weight = np.zeros(largest)
            inside = np.arange(largest[0]) % largest[1]
            weight[(np.arange(largest[0]), inside, *(n // 2 for n in largest[2:]))] = 1
        else:
            weight = arrays[f"{branch.layer}.weight"]
            around = [
                (0, 0),
                (0, 0),
                *(((n - k) // 2,) * 2 for n, k in zip(largest[2:], weight.shape[2:], strict=True)),
            ]
            weight = np.pad(weight, around)
        bias = arrays.get(f"{branch.layer}.bias", np.zeros(len(weight)))
        if branch.norm is None:
            return weight, bias
        eps = self.nature.settings[branch.norm]["eps"]
        mean, variance, scale, shift = (
            arrays.get(f"{branch.norm}.{local}", default)
            for local, default in (
                ("running_mean", 0.0),
                ("running_var", 1.0),
                ("weight", 1.0),
                ("bias", 0.0),
            )
        )
        factor = scale / np.sqrt(variance + eps) * np.ones(len(weight))
        return weight * factor.reshape(-1, *(1,) * (weight.ndim - 1)), shift + (bias - mean) * factor


def folds(nature: Nature, pass_: Observed) -> list[Fold]:
    """Of weight norm and spectral norm alone, of other norms, too, and of parallel branches; none if none is there."""
    own, computed = nature, len(reparametrised.layers(nature.shapes))
    nature = replace(own, shapes=reparametrised.plain(own.shapes))
    layers = in_order(parts(nature.shapes), pass_.layers)
    found: list[Branch] = []
    for part in layers:
        name = part.leaf.name
        if "running_mean" in part.arrays and "eps" in nature.settings.get(name, {}):
            before = next((b for b in reversed(found) if _follows(b.layer, name, nature, pass_)), None)
            if before:
                found[found.index(before)] = replace(before, norm=name)
            else:
                found.append(Branch(None, name))
        elif _plain(part, nature):
            found.append(Branch(name, None, nature.settings.get(name, {}).get("groups", 1)))
    chains = [b for b in found if b.layer is not None and b.norm is not None]
    single = {str(b.layer): (b,) for b in chains}
    grouped: dict[str, tuple[Branch, ...]] = {}
    waiting = [b for b in found if b.norm is not None]
    while waiting:
        first, *others = waiting
        alike = [first, *(b for b in others if _parallel(first, b, nature, pass_))]
        waiting = [b for b in waiting if b not in alike]
        if any(b.layer is not None for b in alike):
            grouped[_common(alike) if len(alike) > 1 else str(first.layer)] = tuple(alike)
    several = [*([{}] if computed else []), *(branches for branches in (single, grouped) if branches)]
    return [replace(_fold(branches, nature, pass_), nature=own, computed=computed) for branches in several]


def _common(branches: Sequence[Branch]) -> str:
    """The path of the module that all of these are in."""
    paths = [f"{branch.layer or branch.norm}".split(".")[:-1] for branch in branches]
    return ".".join(same[0] for same in itertools.takewhile(lambda part: len({*part}) == 1, zip(*paths, strict=False)))


def _fold(branches: dict[str, tuple[Branch, ...]], nature: Nature, pass_: Observed) -> Fold:
    done = {part: name for name, group in branches.items() for b in group for part in (b.layer, b.norm)}
    rest = tuple(name for name in nature.shapes if name.rpartition(".")[0] not in done)
    return Fold(branches, nature, rest, dict.fromkeys(done.get(name, name) for name in pass_.layers))


def _plain(part: Part, nature: Nature) -> bool:
    """A linear layer, or a convolution that is not transposed."""
    plain = part.leaf.kind == "linear" or (
        part.leaf.kind == "conv" and "padding" in nature.settings.get(part.leaf.name, {})
    )
    return plain and part.arrays.keys() <= {"weight", "bias"}


def _follows(layer: str | None, norm: str, nature: Nature, pass_: Observed) -> bool:
    """Whether the norm takes what the layer returns; where inputs are not seen, whether it runs next."""
    if layer is None or layer not in pass_.layers or norm not in pass_.layers:
        return False
    if nature.shapes[f"{layer}.weight"][0] != nature.shapes[f"{norm}.running_mean"][0]:
        return False
    if norm in pass_.entries:
        return np.array_equal(pass_.layers[layer], pass_.entries[norm])
    order = list(pass_.layers)
    return order.index(norm) == order.index(layer) + 1


def _parallel(one: Branch, other: Branch, nature: Nature, pass_: Observed) -> bool:
    """Whether both branches take the same and return maps of one shape, below one module."""
    first, second = (pass_.entries.get(b.layer or b.norm or "") for b in (one, other))
    below = (one.layer or one.norm or "").partition(".")[0] == (other.layer or other.norm or "").partition(".")[0]
    if first is None or second is None or not below or not np.array_equal(first, second):
        return False
    shapes = [pass_.layers[str(b.norm)].shape for b in (one, other)]
    groups = {b.groups for b in (one, other) if b.layer is not None}
    return shapes[0] == shapes[1] and len(groups) == 1


@dataclass(frozen=True)
class Folded:
    """A live module whose folded layers are seen as one: they take what the first takes, and return what the norm does.

    Layers of several branches are not seen.
    """

    live: Live
    fold: Fold

    @property
    def nature(self) -> Nature:
        return self.live.nature

    @property
    def notes(self) -> list[str]:
        return self.live.notes

    def arrays(self, state: Arrays | None = None) -> Arrays:
        return self.live.arrays(state)

    def native(self, arrays: Arrays) -> Arrays:
        return self.live.native(arrays)

    def observe(
        self, arrays: Arrays, xs: Sequence[np.ndarray], dys: Cotangents | None = None, loose: int | None = None
    ) -> Observed:
        pass_ = self.live.observe(arrays, xs, dys, loose)
        groups = self.fold.branches.items()
        single = {str(group[0].norm): name for name, group in groups if len(group) == 1}
        inside = {part for _, group in groups for b in group for part in (b.layer, b.norm)} - single.keys()
        layers = {single.get(name, name): y for name, y in pass_.layers.items() if name not in inside}
        entries = {name: pass_.entries[name] for name in layers if name in pass_.entries}
        return replace(pass_, layers=layers, entries=entries)
