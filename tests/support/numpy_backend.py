"""A backend without a framework: the reference in float32, and ways to make it wrong, crash or hang.

It has two devices, of which the second is a name alone, so that what is said of devices can be seen without any.

``CONVPARITY_TEST_FAULT`` names what goes wrong, so that a worker process can be told through its environment.
"""

import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence

import numpy as np

from common.config import form_on
from common.layers import Dropout
from common.names import known
from common.oracle import backprop, fitting, reference
from common.oracle.backprop import Exact, Pass, without_dropout
from common.oracle.optimisers import SGD, Optimiser, updater
from common.protocols import Timed
from common.spec import INPUT, BlockSpec, Node
from common.spec.differences import Difference
from common.spec.params import Arrays

NAME = "numpy"
DIFFERENCES: tuple[Difference, ...] = ()


def environment() -> dict[str, str]:
    return {"numpy": np.__version__, "threads": os.environ.get("OMP_NUM_THREADS", "unset")}


def devices() -> tuple[str, ...]:
    return ("cpu", "fake")


class Inferred:
    """Inference alone: a backend that builds these is one."""

    native = None

    def __init__(self, spec: BlockSpec, params: Arrays, fault: str, dtype: str, device: str) -> None:
        self._spec, self._params, self._fault, self._dtype, self.device = spec, params, fault, dtype, device

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = reference.run(self._spec, self._params, x)[self._spec.nodes[-1].name].astype(self._dtype)
        match self._fault:
            case "shape":
                return y[..., :-1]
            case "offset":
                return y + y.dtype.type(1e-3)
            case "nan":
                return y * np.nan
        return y

    def _rounded(self, arrays: Arrays) -> Arrays:
        return {name: array.astype(self._dtype) for name, array in arrays.items()}

    def params(self) -> Arrays:
        held, first = self._rounded(self._params), next(iter(self._params))
        match self._fault:
            case "lost":
                del held[first]
            case "extra":
                held["conv.scale"] = np.ones(3, self._dtype)
            case "changed":
                held[first] = np.nextafter(held[first], held[first].dtype.type(9))
            case "transposed":
                held[first] = held[first].swapaxes(0, 1)
        return held

    def trainable(self) -> frozenset[str]:
        trained = {param.name for param in self._spec.params() if param.trainable or self._fault == "all trained"}
        return frozenset(trained - ({next(iter(trained))} if self._fault == "frozen" else set()))

    def load(self, params: Arrays) -> None:
        self._params = params


class Dropping(Exact):
    """A training pass in which the ``rates`` of what is dropped are those of nodes by name."""

    def __init__(self, rates: dict[str, float]) -> None:
        self._rates, self._factors, self._rng = rates, Arrays(), np.random.default_rng()

    def factor(self, rate: float, shape: tuple[int, ...]) -> np.ndarray:
        return (self._rng.random(shape) >= rate) / (1 - rate)

    def output(self, node: Node, params: Arrays, inputs: list[np.ndarray], y: np.ndarray) -> np.ndarray:
        if not self._rates.get(node.name):
            return y
        self._factors[node.name] = self.factor(self._rates[node.name], y.shape)
        return y * self._factors[node.name]

    def cotangent(self, node: Node, dy: np.ndarray) -> np.ndarray:
        return dy * self._factors.get(node.name, 1.0)


class Built(Inferred):
    dropping = Dropping

    def _pass(self, x: np.ndarray, dy: np.ndarray | None) -> Pass:
        rates = {n.name: n.layer.rate for n in self._spec.nodes if isinstance(n.layer, Dropout)}
        return backprop.train(without_dropout(self._spec), self._params, x, dy, self.dropping(rates))

    def forward_train(self, x: np.ndarray) -> np.ndarray:
        if self._fault == "evaluates":
            return self.forward(x)
        found = self._pass(x, None)
        if self._fault != "buffers frozen":
            self._params = self._params | found.statistics
        return found.values[self._spec.nodes[-1].name].astype(self._dtype)

    def gradients(self, x: np.ndarray, dy: np.ndarray) -> Arrays:
        one_pass = self._pass(x, dy)
        self._params, found = self._params | one_pass.statistics, one_pass.gradients
        if self._fault == "gradient lost":
            found |= {"conv.weight": np.zeros_like(found["conv.weight"])}
        return self._rounded(found)

    def trajectory(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> list[Arrays]:
        if self._fault == "no weight decay" and isinstance(optimiser, SGD):
            optimiser = SGD(optimiser.lr, optimiser.momentum, 0.0)
        steps, _ = backprop.trajectory(self._spec, self._params, list(batches), optimiser)
        self._params = steps[-1]
        return [self._rounded(arrays) for arrays in steps]

    def fit(self, batches: Sequence[tuple[np.ndarray, np.ndarray]], optimiser: Optimiser) -> np.ndarray:
        if self._fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        steps = list(fitting.fit(self._spec, self._params, batches, optimiser))
        self._params = steps[-1][2]
        losses = np.array([loss for loss, *_ in steps], np.float32)
        return losses * np.float32(np.nan) if self._fault == "nan" else losses

    def trace(self, x: np.ndarray, dy: np.ndarray | None = None) -> tuple[Arrays, Arrays]:
        if dy is None:
            return reference.run(self._spec, self._params, x), {}
        found = backprop.train(self._spec, self._params, x, dy)
        return found.values, found.cotangents

    def timed(
        self, mode: str, x: np.ndarray, dy: np.ndarray | None = None, form: str = "usual", layout: str = "native"
    ) -> Timed:
        initial, output, kept = self._params, self._spec.nodes[-1].name, dict[str, Arrays]()
        params, update, calls = initial, updater(SGD()), itertools.count(1)

        def compute() -> Arrays:
            nonlocal params
            if dy is None:
                return {"output": self.forward(x)}
            found = backprop.train(self._spec, params, x, dy)
            if mode == "gradients":
                return {"output": found.values[output], **found.gradients}
            params = update(params | found.statistics, found.gradients)
            return {name: params[name] for name in found.gradients if name != INPUT}

        def call() -> None:
            if self._fault == "hang":
                time.sleep(3600)
            if self._fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            kept.update(result=compute())
            if self._fault == "decays" and next(calls) > 20:
                kept.update(result={name: array + 1 for name, array in kept["result"].items()})

        def restore() -> None:
            nonlocal params, update
            params, update = initial, updater(SGD())
            kept.clear()

        return Timed(call, lambda: kept["result"], restore)


def build(
    spec: BlockSpec,
    params: Arrays,
    *,
    dtype: str = "float32",
    device: str | None = None,
    strict: bool = False,
    variant: str = "reference",
) -> Built:
    fault = os.environ.get("CONVPARITY_TEST_FAULT", "")
    match fault:
        case "raise":
            raise ValueError("no such layer\nand a second line")
        case "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stops":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "exits":
            sys.exit(3)
        case "leaves":
            os._exit(3)
        case "closes":
            os.closerange(3, 4096)
            time.sleep(3600)
        case "fills":
            with tempfile.TemporaryFile() as file:
                while file.write(bytes(2**20)):
                    pass
    device = known("device", device or devices()[0], devices())
    kind = form_on(device, {"cpu": Built}, NAME) if variant == "tuned" else Built
    return kind(spec, params, fault, dtype, device)
