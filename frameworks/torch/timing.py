"""The calls that are timed: see `common.protocols.Timed`."""

from collections.abc import Callable

import torch
from torch import nn

from common.oracle.optimisers import SGD
from common.protocols import Timed
from common.spec import INPUT
from common.spec.params import Arrays
from frameworks.torch import layout as arrays
from frameworks.torch import optimisers
from frameworks.torch.tuned import in_channels_last

Run = Callable[[torch.Tensor], torch.Tensor]
Compiler = Callable[[nn.Module, torch.Tensor], Run]


def placed(tensor: torch.Tensor, layout: str) -> torch.Tensor:
    """An NHWC array is, without a copy, a tensor of shape NCHW in the memory format that torch calls channels_last."""
    return tensor.to(memory_format=torch.channels_last) if layout == "nhwc" and tensor.ndim == 4 else tensor


def prepared(
    module: nn.Module, x: torch.Tensor, form: str | Compiler, layout: str = "native", channels_last: bool = False
) -> Run:
    """The callable of a form of `common.config.FORMS`, or what a `Compiler` makes for inputs such as ``x``."""
    # Without this, torch takes another block of the same class for another shape of the first. It compiles the second
    # for any shape, and after eight of them it only warns and compiles nothing.
    torch.compiler.reset()
    if callable(form):
        return form(module, x)
    run: Run = module
    if layout == "nhwc":
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    elif channels_last:
        run = in_channels_last(module)
    return torch.compile(run) if form == "compiled" else run


def _synchronize(tensor: torch.Tensor) -> Callable[[], None]:
    return torch.accelerator.synchronize if tensor.device.type != "cpu" else lambda: None


def _allocated(call: Callable[[], None], x: torch.Tensor) -> int | None:
    """Peak bytes that an accelerator's allocator gives out in a call; None on the CPU. Not run so far."""
    if x.device.type == "cpu":
        return None
    torch.accelerator.reset_peak_memory_stats()
    before = torch.accelerator.memory_allocated()
    call()
    return torch.accelerator.max_memory_allocated() - before


def forward(
    module: nn.Module, x: torch.Tensor, form: str | Compiler, layout: str, channels_last: bool = False
) -> Timed:
    """The output in evaluation mode.

    ``channels_last`` makes the module compute in that memory format, whatever the arrays' layout is. ``form`` is one of
    `common.config.FORMS`, or a `Compiler`.
    """
    x, synchronize = placed(x, layout), _synchronize(x)
    run = prepared(module.eval(), x, form, layout, channels_last)
    kept: dict[str, torch.Tensor] = {}

    @torch.inference_mode()
    def call() -> None:
        kept["output"] = run(x)
        synchronize()

    def result() -> Arrays:
        y = kept["output"].cpu()
        return {"output": (y.float() if y.dtype == torch.bfloat16 else y).numpy()}

    return Timed(call, result, kept.clear, lambda: _allocated(call, x))


def training(
    module: nn.Module,
    mode: str,
    x: torch.Tensor,
    dy: torch.Tensor,
    form: str,
    layout: str,
    channels_last: bool = False,
) -> Timed:
    """Forward and backward, or a whole step; ``channels_last`` as in `forward`."""
    run, synchronize = prepared(module.train(), x, form, layout, channels_last), _synchronize(x)
    x, dy, initial = placed(x, layout), placed(dy, layout), arrays.read(module)
    parameters = {name: value for name, value in module.named_parameters() if value.requires_grad}
    steps = optimisers.native(SGD(), module.parameters())
    kept: dict[str, torch.Tensor] = {}

    def gradients() -> None:
        steps.zero_grad()
        kept[INPUT] = leaf = x.detach().requires_grad_()
        kept["output"] = y = run(leaf)
        y.backward(dy)
        synchronize()

    def step() -> None:
        steps.zero_grad()
        run(x).backward(dy)
        steps.step()
        synchronize()

    def result() -> Arrays:
        if mode == "step":
            return {name: array for name, array in arrays.read(module).items() if name in parameters}
        by_name = {name: arrays.gradient(value) for name, value in {**parameters, INPUT: kept[INPUT]}.items()}
        return {"output": kept["output"].detach().cpu().numpy(), **by_name}

    def restore() -> None:
        kept.clear()
        steps.zero_grad()
        steps.state.clear()
        arrays.write(module, initial)

    call = gradients if mode == "gradients" else step
    return Timed(call, result, restore, lambda: _allocated(call, x))
