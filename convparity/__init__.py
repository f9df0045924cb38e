"""Convolution blocks in PyTorch, PaddlePaddle, JAX and Flax, and modules that others wrote: the same function, or not?

    import convparity

    spec = convparity.block("depthwise_separable", in_channels=3, out_channels=64)
    built = convparity.build("paddle", spec, convparity.initial(spec))
    built.native  # the paddle.nn.Layer, with these weights

    def test_our_port() -> None:
        convparity.assert_parity(TorchNet(), FlaxNet(rngs=nnx.Rngs(0)), (2, 3, 64, 64))

This is the face for other projects. Behind it are packages called ``common``, ``frameworks`` and ``report``. A project
may have packages of these names too: its imports still get its own. ``python -m convparity`` is the command; it also
works in a folder that has a ``report`` or a ``common``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convparity.packages import OURS

if TYPE_CHECKING:
    import numpy as np

    from common.port.comparing import Comparison
    from common.protocols import Trained
    from common.spec import BlockSpec
    from report.port.networks import Carried

    Input = Sequence[int] | np.ndarray | Sequence[Sequence[int] | np.ndarray]  # a shape or an array, or several

__all__ = ["assert_parity", "block", "build", "compare", "initial", "names", "port", "port_module", "randomised"]


def names() -> tuple[str, ...]:
    """The names of the blocks that `block` makes."""
    with OURS:
        from common.spec import catalogue

        return catalogue.names()


def block(name: str, /, **options: Any) -> "BlockSpec":
    """The spec of a named block with the given hyper-parameters; `BlockSpec.options` has all of them.

    Raises:
        ValueError: for a name that `names` does not list, an option that does not exist, or an invalid value.
    """
    with OURS:
        from common.spec import catalogue

        return catalogue.block(name, **options)


def initial(spec: "BlockSpec", seed: int = 0) -> "dict[str, np.ndarray]":
    """The arrays that training starts from, by name, in network order: float32, kernels OIHW, linear [out, in]."""
    with OURS:
        from common.spec import params
        from convparity.arguments import seed_of, spec_of

        return params.initial(spec_of(spec), seed_of(seed))


def randomised(spec: "BlockSpec", seed: int = 0) -> "dict[str, np.ndarray]":
    """Arrays as `initial` gives them, but drawn for checks: no bias is 0, no scale 1, no running statistic trivial."""
    with OURS:
        from common.spec import params
        from convparity.arguments import seed_of, spec_of

        return params.randomised(spec_of(spec), seed_of(seed))


def build(
    backend: str,
    spec: "BlockSpec",
    params: "Mapping[str, np.ndarray]",
    *,
    dtype: str = "float32",
    device: str | None = None,
    strict: bool = False,
    variant: str = "reference",
) -> "Trained":
    """The block in one framework, holding ``params``: ``torch``, ``paddle``, ``jax`` or ``flax``.

    ``built.native`` is the framework's own module, ``built.forward(x)`` its output for an NCHW array in evaluation
    mode. ``device`` is one of the framework's names (``cpu``, ``cuda``, ``gpu``), by default an accelerator if there is
    one. ``strict`` makes a framework follow the spec where its layers are known to differ. ``variant`` is
    ``reference``, ``tuned`` or ``ready-made``.

    Raises:
        ValueError: for arrays that do not fit the spec or are not finite in this dtype, or for a backend, dtype, device
            or variant that is not available.
        ImportError: if the framework is not installed.
    """
    with OURS:
        import frameworks
        from common.names import known
        from convparity.arguments import arrays_of, flag, in_range, spec_of

        spec, arrays = spec_of(spec), arrays_of(params)
        in_range(arrays, dtype)
        options = {"dtype": dtype, "device": device, "strict": flag("strict", strict), "variant": variant}
        module = frameworks.load(backend)
        if device is not None:
            known("device", device, module.devices())
        return module.build(spec, arrays, **options)


def compare(
    module_a: Any,
    module_b: Any,
    input_shape: "Input",
    *,
    names: dict[str, str] | None = None,
    output: str | None = None,
    layout: str | None = None,
    as_is: bool = False,
) -> "Comparison":
    """Whether two live modules of any two frameworks are the same function: ``.agrees``, and ``.findings`` one by one.

    The modules (``torch.nn.Module``, ``paddle.nn.Layer``, ``flax.nnx.Module``, ``flax.linen.Module``, or JAX's
    ``(apply, params, stats)`` with ``y, stats = apply(params, stats, x, train=...)``) are copied and stay as they are.
    The copies are aligned layer by layer, given the same arrays, and compared in float64: outputs in evaluation and in
    training, gradients of the input and of every parameter, running statistics. ``input_shape`` is (n, c, h, w) for
    every framework, or a list of shapes, of any rank; JAX and Flax modules get maps as NHWC or NCHW, as they run, or as
    ``layout`` says. ``names`` maps layers or arrays of the first to those of the second where order and shapes do not
    decide. ``output`` is the name of the only output that is compared. Dropout is off.

    An array instead of a shape is that input itself; of integers, ids of tokens. With ``as_is`` the modules keep their
    own weights and are compared in evaluation alone: ``.reasons`` says which arrays differ and how, or that it is the
    code. A linen module is then ``(module, variables)``, or bound to its variables.

    Raises:
        ValueError: if the modules cannot be compared: their layers do not match, or training is random.
    """
    with OURS:
        from common.port.comparing import How
        from convparity.arguments import choice, flag, inputs_of, names_of
        from report.port.modules import compare_modules

        layout = choice("layout", layout, ("nchw", "nhwc"))
        how = How(names_of(names), choice("output", output), layout, as_is=flag("as_is", as_is))
        return compare_modules(module_a, module_b, inputs_of(input_shape), how)


def assert_parity(
    module_a: Any,
    module_b: Any,
    input_shape: "Input",
    *,
    names: dict[str, str] | None = None,
    output: str | None = None,
    layout: str | None = None,
    as_is: bool = False,
) -> None:
    """Passes if two live modules of any two frameworks are the same function: see `compare`.

    Raises:
        AssertionError: saying what differs, by how much, and the first layer that does.
        ValueError: if the modules cannot be compared: their layers do not match, or training is random.
    """
    __tracebackhide__ = True
    comparison = compare(module_a, module_b, input_shape, names=names, output=output, layout=layout, as_is=as_is)
    if not comparison.agrees:
        with OURS:
            from report.port.modules import lines

            message = "\n".join(lines(comparison, failures=True))
        raise AssertionError(message)


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

    The arrays have the spec's names and canonical layouts: kernels OIHW, linear weights [out, in]. For what is
    checked, refused and raised see `report.port.weights.port`.

    Raises:
        ValueError: for weights that cannot be read, do not fit or disagree; nothing is written then.
    """
    with OURS:
        from convparity.arguments import flag, names_of, options_of, path_of
        from report.port.weights import port as run

        given = {"options": options_of(options), "names": names_of(names)}
        given["by_structure"] = flag("by_structure", by_structure)
        paths = path_of("source", source), path_of("destination", destination)
        return run(*paths, from_=from_, to=to, block=block, **given).arrays


def port_module(
    module_a: Any,
    module_b: Any,
    input_shape: Sequence[int] | Sequence[Sequence[int]],
    *,
    source: Path | str | None = None,
    destination: Path | str | None = None,
    names: dict[str, str] | None = None,
    training: bool = False,
) -> "Carried":
    """The weights of one live module as those of another, of any two frameworks: ``.state``, and ``.notes`` on it.

    The modules and ``input_shape`` are those that `compare` takes; the modules stay as they are. The weights are those
    in the file ``source``, or those that ``module_a`` holds. Both modules are run in evaluation mode, and with
    ``training`` in training mode, first with arrays drawn at random and then with the weights; ``.notes`` says what was
    verified and what was not. ``.state`` has every array of ``module_b`` by the name and in the layout of its
    framework, the keys of a tree joined by dots; ``destination`` is a file for it. ``names`` maps layers of
    ``module_b`` to layers of ``module_a`` where their order and shapes do not decide.

    Raises:
        ValueError: if the modules do not compute the same, or cannot be compared; nothing is written then.
    """
    with OURS:
        from convparity.arguments import flag, inputs_of, names_of, path_of
        from report.port.networks import port_modules

        given = {"names": names_of(names), "training": flag("training", training)}
        given |= {"source": None if source is None else path_of("source", source)}
        given |= {"destination": None if destination is None else path_of("destination", destination)}
        return port_modules(module_a, module_b, inputs_of(input_shape), **given)


def main() -> None:
    """Runs the command of `report.cli`."""
    with OURS:
        from report.cli import main as command

        command()
