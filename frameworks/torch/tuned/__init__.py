"""The fastest forms of a block that were found for PyTorch, a file a device; NCHW shapes."""

from frameworks.torch.tuned.cpu import COMPILED, DEEP, convolutions, fold, foldable, frozen, in_channels_last

__all__ = ["COMPILED", "DEEP", "convolutions", "fold", "foldable", "frozen", "in_channels_last"]
