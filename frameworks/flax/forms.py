"""Where a foreign Flax module keeps an array, and the canonical name and layout of it, by the layer that owns it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.port.live import STATISTICS

LEAVES = {"kernel": "weight", "embedding": "weight", "scale": "weight", "negative_slope": "weight"}
AVERAGES = {"mean": "running_mean", "var": "running_var"} | STATISTICS


@dataclass(frozen=True)
class Form:
    """A canonical name, and what makes the canonical array: reshape to ``flat``, reorder ``axes``, flip ``flips``."""

    name: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    flips: tuple[int, ...] = ()
    flat: tuple[int, ...] | None = None

    def canonical(self, array: Any) -> np.ndarray:
        values = np.asarray(array).reshape(self.flat or self.shape).transpose(self.axes)
        return np.ascontiguousarray(np.flip(values, self.flips)).reshape(self.canonical_shape)

    @property
    def canonical_shape(self) -> tuple[int, ...]:
        return tuple((self.flat or self.shape)[axis] for axis in self.axes)

    def native(self, array: np.ndarray) -> np.ndarray:
        values = np.flip(array, self.flips).transpose(np.argsort(self.axes)).reshape(self.shape)
        return np.ascontiguousarray(values).reshape(self.shape)


def form(name: str, shape: Sequence[int], owner: Any, siblings: Collection[str], statistic: bool, normed: bool) -> Form:
    """Of the array ``name`` of a layer ``owner``, which has ``siblings``; ``normed`` if it normalises its weight."""
    path, dot, leaf = name.rpartition(".")
    shape, rank, kind = tuple(shape), len(shape), type(owner).__name__
    known = type(owner).__module__.startswith("flax.") or leaf == "kernel" or "bias" in siblings
    local = AVERAGES.get(leaf, leaf) if statistic else LEAVES.get(leaf, leaf) if known else leaf
    canonical = f"{path}{dot}{'weight_v' if normed and leaf == 'kernel' else local}"
    if kind in ("LinearGeneral", "DenseGeneral"):
        features = owner.out_features if kind == "LinearGeneral" else owner.features
        split = rank - (len(features) if isinstance(features, Sequence) else 1)
        if leaf == "bias":
            return Form(canonical, shape, (0,), flat=(int(np.prod(shape)),))
        flat = int(np.prod(shape[:split])), int(np.prod(shape[split:]))
        return Form(canonical, shape, (1, 0), flat=flat)
    if leaf != "kernel" or rank < 2:
        return Form(canonical, shape, tuple(range(rank)))
    spatial = tuple(range(rank - 2))
    if kind == "ConvTranspose":  # PyTorch's kernels are [in, out, ...], and a kernel as it is here is flipped there
        if owner.transpose_kernel:
            return Form(canonical, shape, (rank - 1, rank - 2, *spatial))
        return Form(canonical, shape, (rank - 2, rank - 1, *spatial), tuple(range(2, rank)))
    return Form(canonical, shape, (rank - 1, rank - 2, *spatial))
