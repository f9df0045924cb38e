"""One way to run a block: what is built, how it is called, and in what process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

MODES = ("forward", "gradients", "step")
VARIANTS = ("reference", "tuned", "ready-made")
FORMS = ("usual", "eager", "compiled")
LAYOUTS = ("native", "nchw", "nhwc")
ALLOCATORS = ("default", "tuned")
Form = TypeVar("Form")


class NotAvailable(ValueError):
    """Something that a backend does not have, by name."""


@dataclass(frozen=True)
class Config:
    """One way to run a block: what is built and where, how it is called, and the conditions of its process.

    ``device`` is its backend's name for one, or empty: the backend's first. ``variant`` is our block as one first
    writes it (``reference``), our ``tuned`` one, or what the framework has ``ready-made``. ``form`` is ``eager``,
    ``compiled`` (`torch.compile`, `paddle.jit.to_static`, `jax.jit`) or the ``usual`` one of the two: eager in torch
    and Paddle, compiled elsewhere. ``layout`` is that of the arrays handed over and wanted back: a conversion that the
    framework needs is timed with the rest. ``threads`` is the run's number (``usual``), a number, or ``unset``:
    whatever a plain process of that framework takes. ``allocator`` ``tuned`` makes glibc keep the memory that it has,
    as `configured` says of a tuned variant. ``copy`` tells the same thing, run again, from the first.
    """

    backend: str
    variant: str = "reference"
    form: str = "usual"
    layout: str = "native"
    threads: str = "usual"
    allocator: str = "default"
    copy: int = 0
    device: str = ""

    @property
    def place(self) -> str:
        """``jax``, ``torch cuda``: the backend, and the device if it is not the default."""
        return f"{self.backend} {self.device}".rstrip()

    @property
    def label(self) -> str:
        """``jax``, ``torch cuda compiled``, ``paddle threads unset``: the place, and whatever is not the default."""
        usual = replace(configured("", self.variant), variant="reference")
        words = [
            self.place,
            *[word for word, default in zip(self._words, usual._words, strict=True) if word != default],
        ]
        return " ".join([*words, *(["again"] if self.copy else [])])

    @property
    def _words(self) -> tuple[str, ...]:
        threads = {"1": "1 thread", "unset": "threads unset"}.get(self.threads, f"{self.threads} threads")
        return self.variant, self.form, self.layout, threads, f"{self.allocator} allocator"


def configured(backend: str, variant: str = "reference", form: str = "usual", device: str = "") -> Config:
    """The configuration in which a variant is run if nothing else is said: a tuned one brings its allocator."""
    allocator = "tuned" if variant == "tuned" else "default"
    return Config(backend, variant, form, allocator=allocator, device=device)


def form_on(device: str, forms: Mapping[str, Form], backend: str, default: str | None = None) -> Form:
    """A backend's tuned form on a device; ``default`` is the process's device, where the form depends on that.

    Raises:
        NotAvailable: naming the devices that have one.
    """
    if device not in forms:
        raise NotAvailable(f"`tuned` of {backend} has forms for {', '.join(forms)}, not for `{device}`")
    if default not in (device, None):
        raise NotAvailable(f"`tuned` of {backend} on `{device}` needs that for the process's default, not `{default}`")
    return forms[device]
