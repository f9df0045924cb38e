"""Networks that others published, and changes of them.

Nothing is downloaded: no network is pretrained. Widths and depths are reduced where the package allows it.
"""

import importlib
from collections.abc import Callable
from typing import Any

PACKAGES = ("flaxmodels", "jax_resnet", "pytorchcv", "timm", "torchvision", "transformers")
IMAGE = (2, 3, 64, 64)
_kept: list[Any] = []


def of(name: str, *arguments: Any, **options: Any) -> Any:
    """What ``package.module:name`` makes with these arguments."""
    where, _, what = name.partition(":")
    return getattr(imported(where), what)(*arguments, **options)


def imported(name: str) -> Any:
    """A module; a torch without CUDA lacks operators that the wheel of torchvision on PyPI names at its import."""
    try:
        return importlib.import_module(name)
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        library = importlib.import_module("torch").library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)  # without it they end
        return importlib.import_module(name)


def torchvision(name: str, **options: Any) -> Any:
    return of(f"torchvision.models:{name}", num_classes=5, **options)


def paddle(name: str, **options: Any) -> Any:
    return of(f"paddle.vision.models:{name}", num_classes=5, **options)


def short_resnet(package: str, block: str = "BasicBlock", **options: Any) -> Any:
    """Of timm or torchvision, with one block in each stage."""
    kind = getattr(imported(f"{package}.models.resnet"), block)
    return of(f"{package}.models.resnet:ResNet", kind, [1, 1, 1, 1], num_classes=5, **options)


def jax_resnet(name: str) -> Any:
    return of(f"jax_resnet:{name}", stage_sizes=[1, 1, 1, 1], n_classes=5)


def transformers(name: str, **options: Any) -> Any:
    config = of(f"transformers:{name}Config", num_labels=5, **options)
    return of(f"transformers:{name}ForImageClassification", config)


def short_transformers_resnet() -> Any:
    return transformers("ResNet", hidden_sizes=[64, 128, 256, 512], depths=[1, 1, 1, 1], layer_type="basic")


def mobilenet_v3() -> Any:
    """The small one of torchvision, at half its width."""
    settings = of("torchvision.models.mobilenetv3:_mobilenet_v3_conf", "mobilenet_v3_small", width_mult=0.5)
    return of("torchvision.models.mobilenetv3:MobileNetV3", *settings, num_classes=5)


def put(path: str, **values: Any) -> Callable[[Any], None]:
    """A change of attributes of one torch module."""

    def change(net: Any) -> None:
        part = net.get_submodule(path)
        for name, value in values.items():
            assert getattr(part, name) != value
            setattr(part, name, value)

    return change


def swap(path: str, activation: str, **options: Any) -> Callable[[Any], None]:
    """Another activation in the place of one torch module."""
    return lambda net: net.set_submodule(path, of(f"torch.nn:{activation}", **options), strict=True)
