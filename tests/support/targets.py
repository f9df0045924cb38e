"""Networks of torchvision, and the same in Paddle and Flax."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.published import IMAGE, imported, mobilenet_v3, of, paddle, short_resnet, torchvision

CLASSES = 5
WIDTHS = (16, 32, 48, 64)  # of ConvNeXt, with one block at each


@dataclass(frozen=True)
class Row:
    """An inverted residual block; ``squeezed`` channels between the layers of its excitation, 0 if it has none."""

    kernel: int
    inputs: int
    expanded: int
    outputs: int
    squeezed: int
    activation: str
    stride: int


@dataclass(frozen=True)
class Inverted:
    """A stem, inverted residual blocks, and a head; ``hidden`` features before the classes, 0 if there are none."""

    rows: tuple[Row, ...]
    activation: str  # of stem and head
    gates: tuple[str, str]  # activations of the excitation
    last: int
    hidden: int
    eps: float
    momentum: float


def mobilenet_v3_numbers() -> Inverted:
    where = imported("torchvision.models.mobilenetv3")
    settings, hidden = where._mobilenet_v3_conf("mobilenet_v3_small", width_mult=0.5)
    divisible = imported("torchvision.models._utils")._make_divisible
    rows = tuple(
        Row(
            row.kernel,
            row.input_channels,
            row.expanded_channels,
            row.out_channels,
            divisible(row.expanded_channels // 4, 8) if row.use_se else 0,
            "hardswish" if row.use_hs else "relu",
            row.stride,
        )
        for row in settings
    )
    return Inverted(rows, "hardswish", ("relu", "hardsigmoid"), 6 * rows[-1].outputs, hidden, 1e-3, 0.01)


def efficientnet_b0_numbers() -> Inverted:
    settings, _ = imported("torchvision.models.efficientnet")._efficientnet_conf(
        "efficientnet_b0", width_mult=1.0, depth_mult=1.0
    )
    rows = []
    for stage in settings:
        for number in range(stage.num_layers):
            inputs = stage.out_channels if number else stage.input_channels
            expanded, stride = int(inputs * stage.expand_ratio), 1 if number else stage.stride
            rows.append(Row(stage.kernel, inputs, expanded, stage.out_channels, max(1, inputs // 4), "silu", stride))
    return Inverted(tuple(rows), "silu", ("silu", "sigmoid"), 4 * rows[-1].outputs, 0, 1e-5, 0.1)


def efficientnet_b0() -> Any:
    return torchvision("efficientnet_b0", stochastic_depth_prob=0.0)


def convnext() -> Any:
    make = imported("torchvision.models.convnext").CNBlockConfig
    blocks = [make(width, after, 1) for width, after in zip(WIDTHS, (*WIDTHS[1:], None), strict=True)]
    return of("torchvision.models.convnext:ConvNeXt", blocks, num_classes=CLASSES)


def segmentation() -> Any:
    """FCN on a ResNet of one block in each stage; its dict of outputs has one."""
    backbone = of("torchvision.models._utils:IntermediateLayerGetter", short_resnet("torchvision"), {"layer4": "out"})
    head = of("torchvision.models.segmentation.fcn:FCNHead", 512, CLASSES)
    return of("torchvision.models.segmentation:FCN", backbone, head)


def in_paddle(name: str, *arguments: Any) -> Any:
    return of(f"tests.support.targets_paddle:{name}", *arguments)


def in_flax(name: str, *arguments: Any) -> Any:
    return of(f"tests.support.targets_flax:{name}", *arguments)


NETWORKS: dict[str, tuple[Callable[[], Any], dict[str, Callable[[], Any]]]] = {
    "ResNet-18": (
        lambda: torchvision("resnet18"),
        {
            "paddle": lambda: paddle("resnet18"),
            "flax": lambda: of("jax_resnet:ResNet18", n_classes=CLASSES),
        },
    ),
    "MobileNetV3": (
        mobilenet_v3,
        {
            "paddle": lambda: paddle("MobileNetV3Small", scale=0.5),
            "flax": lambda: in_flax("InvertedNet", mobilenet_v3_numbers()),
        },
    ),
    "EfficientNet-B0": (
        efficientnet_b0,
        {
            "paddle": lambda: in_paddle("InvertedNet", efficientnet_b0_numbers()),
            "flax": lambda: in_flax("InvertedNet", efficientnet_b0_numbers()),
        },
    ),
    "ConvNeXt": (
        convnext,
        {"paddle": lambda: in_paddle("ConvNeXt", WIDTHS), "flax": lambda: in_flax("ConvNeXt", WIDTHS)},
    ),
    "FCN": (
        segmentation,
        {
            "paddle": lambda: in_paddle("Segmentation"),
            "flax": lambda: in_flax("Segmentation"),
        },
    ),
}
SHAPE = IMAGE
