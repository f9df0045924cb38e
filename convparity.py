"""What a project that moves weights or tests its own port imports: nothing of ours takes a name that it may have too.

The suite's own packages are called ``common``, ``frameworks`` and ``report``, and so may be the project's. This module
has a name of its own, and imports ours beside theirs.

    from convparity import assert_parity

    def test_our_port() -> None:
        assert_parity(TorchNet(), FlaxNet(rngs=nnx.Rngs(0)), (2, 3, 64, 64))

``python -m convparity`` is the command, also from a folder that has a ``report`` or a ``common`` of its own.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["assert_parity", "port"]

NAMES = ("common", "frameworks", "report")
ROOT = str(Path(__file__).parent)


class Packages:
    """The packages called `NAMES` that are found on ``path``: inside ``with`` these, outside whichever were before.

    What is imported inside stays for the next time. Blocks nest.
    """

    def __init__(self, path: list[str]) -> None:
        self._path = path
        self._modules: dict[str, ModuleType] = {}

    def _leave(self) -> None:
        self._path = sys.path[:]
        self._modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in NAMES}
        for name in self._modules:
            del sys.modules[name]

    def _enter(self) -> None:
        sys.modules.update(self._modules)
        sys.path[:] = self._path

    def __enter__(self) -> None:
        _active[-1]._leave()
        _active.append(self)
        self._enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        _active.pop()
        _active[-1]._enter()


def theirs(*folders: str) -> Packages:
    """The packages of a project in these folders; ours are found in none of them."""
    return Packages([*folders, *(entry for entry in sys.path if entry != ROOT)])


def _program_is_ours() -> bool:
    return str(getattr(sys.modules.get("common"), "__file__", None)).startswith(ROOT)


PROGRAM = Packages(sys.path[:])  # those of the program that runs
_active = [PROGRAM]
OURS = PROGRAM if _program_is_ours() else Packages([ROOT, *(entry for entry in sys.path if entry != ROOT)])


def assert_parity(
    module_a: Any, module_b: Any, input_shape: tuple[int, int, int, int], *, names: dict[str, str] | None = None
) -> None:
    """Passes if two live modules of any two frameworks are the same function.

    The modules (``torch.nn.Module``, ``paddle.nn.Layer``, ``flax.nnx.Module``, ``flax.linen.Module``, or JAX's
    ``(apply, params, stats)`` with ``y, stats = apply(params, stats, x, train=...)``) are copied and stay as they are.
    The copies are aligned layer by layer, given the same arrays, and compared in float64: outputs in evaluation and in
    training, gradients of the input and of every parameter, running statistics. ``input_shape`` is (n, c, h, w) for
    every framework; JAX and Flax modules get it as NHWC. ``names`` maps layers of the first to layers of the second
    where their order and shapes do not tell. Dropout layers are off.

    Raises:
        AssertionError: saying what differs, by how much, and the first layer that does.
        ValueError: if the modules cannot be compared: their layers do not match, or training is random.
    """
    __tracebackhide__ = True
    with OURS:
        from report.port.modules import check_parity

        check_parity(module_a, module_b, input_shape, names)


def port(
    source: Path | str,
    destination: Path | str,
    *,
    from_: str,
    to: str,
    block: str,
    options: Mapping[str, Any] | None = None,
    names: dict[str, str] | None = None,
    by_structure: bool = False,
) -> "dict[str, np.ndarray]":
    """Writes the weights of a block in one framework's file as another framework's, and returns them.

    Names are the spec's, layouts canonical: kernels OIHW, linear weights [out, in]. For what is checked, refused and
    raised see `report.port.weights.port`.

    Raises:
        ValueError: for weights that cannot be read, do not fit or disagree; nothing is written then.
    """
    with OURS:
        from report.port.weights import port as run

        arguments = {"from_": from_, "to": to, "block": block, "options": options, "names": names}
        return run(source, destination, **arguments, by_structure=by_structure).arrays


def main() -> None:
    """Runs the command of `report.cli`."""
    with OURS:
        from report.cli import main as command

        command()


if __name__ == "__main__":
    main()
