"""What a layer of Paddle is set to, in the words of `common.port.settings`."""

from typing import Any

from paddle.nn.utils.spectral_norm_hook import SpectralNorm

from common.port.settings import Settings, every, pairs

CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D")
BATCH_NORMS = ("BatchNorm", "BatchNorm1D", "BatchNorm2D", "BatchNorm3D", "SyncBatchNorm")
POOLS = {"AvgPool2D": "average", "MaxPool2D": "maximum"}
FUNCTIONS = {name: name for name in ("ReLU", "ReLU6", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh", "GELU", "ELU")}
FUNCTIONS |= {"Silu": "SiLU", "Swish": "SiLU", "Mish": "Mish", "LeakyReLU": "LeakyReLU", "Hardtanh": "Hardtanh"}


def settings(layer: Any) -> Settings:
    """Of a layer; empty for one that has none, or that is unknown."""
    done = _layer(layer)
    for norm in layer._forward_pre_hooks.values():
        if isinstance(norm, SpectralNorm):
            done["power iteration"] = f"{norm.n_power_iterations} times, v first"
    return done


def _layer(layer: Any) -> Settings:
    name = type(layer).__name__
    if not type(layer).__module__.startswith("paddle."):
        bases = (base for base in type(layer).__mro__ if base.__module__.startswith("paddle.nn.layer."))
        name = next((base.__name__ for base in bases if base.__name__ in CONVOLUTIONS), "")
        name = name if type(layer).forward.__module__.startswith("paddle.") else ""  # it may pad by itself
    if name in CONVOLUTIONS:
        rank = len(kernel := tuple(layer._kernel_size))
        done: Settings = {"kernel": kernel, "stride": every(layer._stride, rank), "groups": layer._groups}
        done |= {"dilation": every(layer._dilation, rank), "channels_last": layer._data_format[-1] == "C"}
        padding = layer._padding
        if isinstance(padding, str | int) or (len(padding) in (1, rank) and all(isinstance(n, int) for n in padding)):
            done["padding"] = pairs(padding, rank)
        return done
    if name in BATCH_NORMS:
        return {"eps": float(layer._epsilon), "momentum": 1 - float(layer._momentum)}
    if name == "GroupNorm":
        return {"eps": float(layer._epsilon), "groups": layer._num_groups}
    if name == "LayerNorm":
        return {"eps": float(layer._epsilon)}
    if name in POOLS:
        window = every(layer.ksize, 2)
        done = {"window": window, "stride": every(layer.stride or window, 2), "ceil_mode": layer.ceil_mode}
        if isinstance(layer.padding, int) or len(layer.padding) == 2:
            done["padding"] = padding = pairs(layer.padding, 2)
            padded = any(map(any, padding)) if not isinstance(padding, str) else True
            done |= {"count_include_pad": not layer.exclusive} if padded and name == "AvgPool2D" else {}
        return done | {"pool": POOLS[name]}
    if name == "Upsample":
        linear = "linear" in layer.mode or layer.mode == "bicubic"
        return {"mode": layer.mode.lower()} | ({"align_corners": bool(layer.align_corners)} if linear else {})
    return _function(layer, FUNCTIONS[name]) if name in FUNCTIONS else {}


def _function(layer: Any, name: str) -> Settings:
    if name == "Hardtanh":
        return {"function": "ReLU6"} if (layer._min, layer._max) == (0, 6) else {"function": name}
    if name == "GELU":
        return {"function": name, "approximation": "tanh" if layer._approximate else "exact"}
    if name == "LeakyReLU":
        slope = float(layer._negative_slope)
        return {"function": name, "slope": slope} if slope else {"function": "ReLU"}
    return {"function": name} | ({"alpha": float(layer._alpha)} if hasattr(layer, "_alpha") else {})
