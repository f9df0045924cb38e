"""What a layer of Flax, nnx or linen, is set to, in the words of `common.port.settings`."""

from typing import Any

from common.port.settings import Settings, every, pairs


def settings(layer: Any) -> Settings:
    """Of a layer; empty for one that has none, or that is unknown."""
    if not any(base.__module__.startswith("flax.") for base in type(layer).__mro__[:1]):
        return {}
    name = type(layer).__name__
    if name == "Conv":
        kernel = every(layer.kernel_size, 1)
        rank = len(kernel)
        done: Settings = {"kernel": kernel, "stride": every(layer.strides, rank), "groups": layer.feature_group_count}
        done |= {"dilation": every(layer.kernel_dilation, rank), "channels_last": True}
        if not isinstance(layer.padding, str) or layer.padding.lower() in ("same", "valid"):
            done["padding"] = pairs(layer.padding, rank)
        return done
    if name == "BatchNorm":
        return {"eps": float(layer.epsilon), "momentum": 1 - float(layer.momentum)}
    if name == "GroupNorm":
        return {"eps": float(layer.epsilon)} | ({"groups": layer.num_groups} if layer.num_groups else {})
    return {"eps": float(layer.epsilon)} if name in ("LayerNorm", "RMSNorm") else {}
