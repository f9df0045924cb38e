"""A block of PyTorch: modules and their eager passes, and the tuned form of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from common.layers import BatchNorm2d, Conv2d
from common.oracle.optimisers import Optimiser
from common.protocols import Timed, as_far_as_it_comes
from common.spec import INPUT, BlockSpec
from common.spec.params import Arrays, fits
from frameworks.torch import layout, optimisers, timing
from frameworks.torch.blocks import BLOCKS
from frameworks.torch.graph import Graph
from frameworks.torch.layers import with_exact_layers
from frameworks.torch.ready_made import ready_made
from frameworks.torch.tracing import tapped


def made(spec: BlockSpec, variant: str, strict: bool) -> nn.Module:
    """The module of a variant, before it has its arrays."""
    if variant == "ready-made":
        return ready_made(spec)
    module = BLOCKS[spec.family](**spec.arguments) if spec.family in BLOCKS else Graph(spec)
    return with_exact_layers(module) if strict else module


class Built:
    """A block as an ``nn.Module`` in evaluation mode."""

    def __init__(self, spec: BlockSpec, module: nn.Module, dtype: torch.dtype, device: str) -> None:
        self._spec = spec
        self.native = module
        self.dtype = dtype
        self.device = device

    def _tensor(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.device, self.dtype)

    def _inference(self) -> nn.Module:
        return self.native.eval()

    def load(self, params: Arrays) -> None:
        layout.write(self.native, fits(self._spec, params))

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)
        module = self._inference()
        with torch.inference_mode():
            return module(self._tensor(x)).cpu().numpy()

    def params(self) -> Arrays:
        return layout.read(self.native)

    def trainable(self) -> frozenset[str]:
        return frozenset(name for name, value in self.native.named_parameters() if value.requires_grad)

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        self._spec.taken(x=x)
        with torch.no_grad():
            return self.native.train()(self._tensor(x)).cpu().numpy()

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        self._spec.taken(x=x, dy=dy)
        self.native.train().zero_grad()
        tensor = self._tensor(x).requires_grad_()
        self.native(tensor).backward(self._tensor(dy))
        found = {INPUT: tensor} | {name: p for name, p in self.native.named_parameters() if p.requires_grad}
        return {name: layout.gradient(value) for name, value in found.items()}

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        steps, states = optimisers.native(optimiser, self.native.parameters()), []
        for x, dy in batches:
            self.gradients(x, dy)
            steps.step()
            states.append(self.params())
        return states

    def fit(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> np.ndarray:
        module, losses = self.native.train(), []
        steps = optimisers.native(optimiser, module.parameters())
        for x, labels in batches:
            steps.zero_grad()
            loss = F.cross_entropy(module(self._tensor(x)), torch.from_numpy(labels).to(self.device))
            loss.backward()
            steps.step()
            losses.append(loss.detach())  # not `item()`, which would wait for the device at every step
        return torch.stack(losses).cpu().numpy()

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        names = frozenset(node.name for node in self._spec.nodes)
        module = self._inference() if dy is None else self.native
        with tapped(module, names, gradients=dy is not None) as seen, as_far_as_it_comes(seen):
            if dy is None:
                with torch.inference_mode():
                    module(self._tensor(x))
            else:
                self.gradients(x, dy)
        outputs = {name: value.detach().cpu().numpy() for name, value in seen.items()}
        return outputs, {} if dy is None else {name: layout.gradient(value) for name, value in seen.items()}

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        tensor = self._tensor(x)
        if mode == "forward":
            return timing.forward(self.native, tensor, form, layout)
        assert dy is not None
        return timing.training(self.native, mode, tensor, self._tensor(dy), form, layout)


def convolutions(spec: BlockSpec) -> int:
    """How many a block has."""
    return sum(isinstance(node.layer, Conv2d) for node in spec.nodes)


def foldable(spec: BlockSpec) -> list[tuple[str, str]]:
    """Names of the convolutions that nothing but a norm reads, each with its norm."""
    readers = Counter(source for node in spec.nodes for source in node.inputs)
    convolutions = {node.name for node in spec.nodes if isinstance(node.layer, Conv2d) and readers[node.name] == 1}
    norms = [node for node in spec.nodes if isinstance(node.layer, BatchNorm2d)]
    return [(node.inputs[0], node.name) for node in norms if node.inputs[0] in convolutions]


class Tuned(Built):
    """A block that is folded for inference, and compiled with frozen weights; a deep one is trained in channels_last.

    What was compiled is used as long as the arrays are those it was compiled with; what ``timed`` times holds the
    arrays of that moment. ``trace`` looks at the folded block: it sees no output of a convolution that was folded.
    """

    def __init__(self, spec: BlockSpec, module: nn.Module, dtype: torch.dtype, device: str, forms: ModuleType) -> None:
        """``forms`` is a device's of `frameworks.torch.tuned.FORMS`."""
        super().__init__(spec, module, dtype, device)
        self._forms, self._pairs, count = forms, foldable(spec), convolutions(spec)
        self._compiled, self._deep = count >= forms.COMPILED, count >= forms.DEEP
        self._run: tuple[Callable[[torch.Tensor], torch.Tensor], torch.Size, Arrays] | None = None
        if self._deep:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _tensor(self, x: np.ndarray) -> torch.Tensor:
        return timing.placed(super()._tensor(x), "nhwc" if self._deep else "nchw")

    def _inference(self) -> nn.Module:
        return self._forms.fold(self.native, self._pairs)

    def forward(self, x: np.ndarray) -> np.ndarray:
        if not self._compiled:
            return super().forward(x)
        self._spec.taken(x=x)
        tensor, held = Built._tensor(self, x), self.params()
        if (
            self._run is None
            or self._run[1] != tensor.shape
            or any(not np.array_equal(array, held[name]) for name, array in self._run[2].items())
        ):
            self._run = timing.prepared(self._inference(), tensor, self._forms.frozen), tensor.shape, held
        return self._run[0](tensor).cpu().numpy()

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        outputs, gradients = super().trace(x, dy)
        folded = {conv for conv, _ in self._pairs} if dy is None else ()
        return {name: output for name, output in outputs.items() if name not in folded}, gradients

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        tensor = super()._tensor(x)
        if mode == "forward":
            if form == "compiled" or (form == "usual" and self._compiled):
                return timing.forward(self._inference(), tensor, self._forms.frozen, layout)
            return timing.forward(self._inference(), tensor, form, layout, self._deep)
        assert dy is not None
        return timing.training(self.native, mode, tensor, super()._tensor(dy), form, layout, self._deep)
