"""The fastest forms of a block that were found for PyTorch, a file a device; NCHW shapes."""

from . import cpu
from .cpu import fold, frozen, in_channels_last

__all__ = ["FORMS", "fold", "frozen", "in_channels_last"]

# By device, as torch names its kind: the file of its forms. Another has what `frameworks.torch.built.Tuned` asks of it.
FORMS = {"cpu": cpu}
