"""What a layer of PyTorch is set to, in the words of `common.port.settings`."""

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.pooling import _AvgPoolNd, _MaxPoolNd
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm

from common.port.settings import Settings, every, pairs

FUNCTIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh, nn.GELU, nn.ELU, nn.Mish)
FUNCTIONS += (nn.LeakyReLU, nn.Hardtanh, nn.Softplus, nn.SELU, nn.CELU)


def settings(layer: Any) -> Settings:
    """Of a layer; empty for one that has none, or that is unknown."""
    return _layer(layer) | _spectral(layer)


def _spectral(layer: Any) -> Settings:
    """How often spectral norm moves its vectors in a pass of training, and which of them first."""
    done: Settings = {}
    new = layer.parametrizations.weight if parametrize.is_parametrized(layer, "weight") else ()
    for norm in (*layer._forward_pre_hooks.values(), *new):
        if isinstance(norm, SpectralNorm | _SpectralNorm):
            first = "v" if isinstance(norm, SpectralNorm) else "u"
            done["power iteration"] = f"{norm.n_power_iterations} times, {first} first"
    return done


def _layer(layer: Any) -> Settings:
    kind = type(layer)
    if isinstance(layer, _ConvNd | _AvgPoolNd | _MaxPoolNd) and not kind.forward.__module__.startswith("torch.nn."):
        return {}  # it may pad by itself
    if isinstance(layer, _ConvNd):
        done: Settings = {"kernel": layer.kernel_size, "stride": layer.stride, "dilation": layer.dilation}
        done |= {"groups": layer.groups}
        if not isinstance(layer, _ConvTransposeNd):
            done["padding"] = pairs(layer.padding, len(layer.kernel_size))
            done["padding mode"] = layer.padding_mode
        return done
    if isinstance(layer, _NormBase):
        momentum = "of a mean of all batches" if layer.momentum is None else float(layer.momentum)
        return {"eps": float(layer.eps), "momentum": momentum}
    if isinstance(layer, nn.GroupNorm):
        return {"eps": float(layer.eps), "groups": layer.num_groups}
    if isinstance(layer, nn.LayerNorm):
        return {"eps": float(layer.eps)}
    if isinstance(layer, _AvgPoolNd | _MaxPoolNd):
        rank = next(int(k.__name__[-2]) for k in kind.__mro__ if k.__module__.startswith("torch.nn."))
        window, padding = every(layer.kernel_size, rank), pairs(layer.padding, rank)
        done = {"window": window, "stride": every(layer.stride or window, rank), "padding": padding}
        done |= {"ceil_mode": getattr(layer, "ceil_mode", False)}
        if any(map(any, padding)):
            done |= {"count_include_pad": layer.count_include_pad} if hasattr(layer, "count_include_pad") else {}
        return done | {"pool": "average" if isinstance(layer, _AvgPoolNd) else "maximum"}
    if kind is nn.Upsample:
        linear = "linear" in layer.mode or layer.mode == "bicubic"
        return {"mode": layer.mode} | ({"align_corners": bool(layer.align_corners)} if linear else {})
    return _function(layer) if kind in FUNCTIONS else {}


def _function(layer: Any) -> Settings:
    name = type(layer).__name__
    if name == "Hardtanh":
        return {"function": "ReLU6"} if (layer.min_val, layer.max_val) == (0, 6) else {"function": name}
    if name == "GELU":
        return {"function": name, "approximation": "tanh" if layer.approximate == "tanh" else "exact"}
    if name == "LeakyReLU":
        return (
            {"function": name, "slope": float(layer.negative_slope)} if layer.negative_slope else {"function": "ReLU"}
        )
    return {"function": name} | ({"alpha": float(layer.alpha)} if hasattr(layer, "alpha") else {})
