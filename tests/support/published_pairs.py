"""Pairs of published networks that are the same function, and a change of the first of each pair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.published import (
    IMAGE,
    jax_resnet,
    mobilenet_v3,
    of,
    paddle,
    put,
    short_resnet,
    short_transformers_resnet,
    swap,
    torchvision,
    transformers,
)

OUTPUT, STATISTICS = "output", "running statistics after a pass"  # where a change is seen


@dataclass(frozen=True)
class Pair:
    """Two networks that agree, a change of the first, what it is seen in, and the layer that must be named."""

    first: Callable[[], Any]
    second: Callable[[], Any]
    change: Callable[[Any], None]
    seen: str
    layer: str
    shape: tuple[int, ...] = IMAGE
    output: str | None = None


def _squeezenet() -> Any:
    """Of torchvision, with the padding of Paddle's first convolution."""
    net = torchvision("squeezenet1_1")
    net.features[0].padding = (1, 1)
    return net


def _resnet_of_flax_momentum() -> Any:
    """Of timm: flaxmodels took PyTorch's momentum, 0.1, for Flax's, which is the part that is kept."""
    net = of("timm:create_model", "resnet18", num_classes=5)
    for part in net.modules():
        if hasattr(part, "momentum"):
            part.momentum = 0.9
    return net


def _vgg_maps() -> Any:
    """Of torchvision, with the name of flaxmodels for its last map."""
    layers = of("torchvision.models:vgg16", init_weights=False).features
    return of("torchvision.models._utils:IntermediateLayerGetter", layers, {"29": "relu5_3"})


PAIRS = {
    "torchvision and paddle: ResNet-18": Pair(
        lambda: torchvision("resnet18"),
        lambda: paddle("resnet18"),
        put("layer2.0.bn1", eps=1e-3),
        OUTPUT,
        "layer2.0.bn1",
        (2, 3, 33, 32),
    ),
    "torchvision and paddle: MobileNetV2": Pair(
        lambda: torchvision("mobilenet_v2", width_mult=0.25),
        lambda: paddle("mobilenet_v2", scale=0.25),
        swap("features.3.conv.0.2", "ReLU"),
        OUTPUT,
        "features.3.conv.1.0",
    ),
    "torchvision and paddle: MobileNetV3": Pair(
        mobilenet_v3,
        lambda: paddle("MobileNetV3Small", scale=0.5),
        swap("features.1.block.1.activation", "ReLU6"),
        OUTPUT,
        "features.1.block.1.fc2",
    ),
    "torchvision and paddle: SqueezeNet": Pair(
        _squeezenet,
        lambda: paddle("squeezenet1_1"),
        put("features.0", padding=(0, 0)),
        OUTPUT,
        "features.0",
        (2, 3, 61, 61),  # whose pools have the same size rounded up (torchvision) and down (Paddle)
    ),
    "torchvision and paddle: ShuffleNetV2": Pair(
        lambda: torchvision("shufflenet_v2_x0_5"),
        lambda: paddle("shufflenet_v2_x0_5"),
        put("stage3.0.branch1.1", momentum=0.01),
        STATISTICS,
        "stage3.0.branch1.1",
    ),
    "timm and paddle: DenseNet": Pair(
        lambda: of("timm:create_model", "densenet121", num_classes=5),
        lambda: paddle("densenet121"),
        put("features.denseblock1.denselayer2.norm1", eps=1e-3),
        OUTPUT,
        "features.denseblock1.denselayer2.norm1",
        (2, 3, 32, 32),
    ),
    "pytorchcv and paddle: MobileNetV1": Pair(
        lambda: of("pytorchcv.models.mobilenet:mobilenet_wd4", num_classes=5),
        lambda: paddle("mobilenet_v1", scale=0.25),
        put("features.stage2.unit1.dw_conv.bn", eps=1e-3),
        OUTPUT,
        "features.stage2.unit1.dw_conv.bn",
        (1, 3, 224, 224),
    ),
    "pytorchcv and jax-resnet: ResNet-10": Pair(
        lambda: of("pytorchcv.models.resnet:resnet10", num_classes=5),
        lambda: jax_resnet("ResNet18"),
        put("features.stage2.unit1.body.conv1.bn", momentum=0.2),
        STATISTICS,
        "features.stage2.unit1.body.conv1.bn",
        (1, 3, 224, 224),
    ),
    "timm and jax-resnet: bottlenecks": Pair(
        lambda: short_resnet("timm", "Bottleneck"),
        lambda: jax_resnet("ResNet50"),
        put("layer1.0.conv2", padding_mode="circular"),
        OUTPUT,
        "layer1.0.conv2",
        (2, 3, 32, 32),
    ),
    "timm and jax-resnet: ResNet-D": Pair(
        lambda: short_resnet("timm", stem_width=32, stem_type="deep", avg_down=True),
        lambda: jax_resnet("ResNetD18"),
        swap("layer2.0.act1", "LeakyReLU", negative_slope=0.01),
        OUTPUT,
        "layer2.0.conv2",
    ),
    "timm and flaxmodels: ResNet-18": Pair(
        _resnet_of_flax_momentum,
        lambda: of("flaxmodels:ResNet18", output="logits", pretrained=None, normalize=False, num_classes=5),
        put("layer2.0.bn1", momentum=0.1),
        STATISTICS,
        "layer2.0.bn1",
        (2, 3, 32, 32),
    ),
    "torchvision and flaxmodels: VGG-16": Pair(
        _vgg_maps,
        lambda: of("flaxmodels:VGG16", output="activations", pretrained=None, include_head=False, normalize=False),
        put("5", padding_mode="reflect"),
        OUTPUT,
        "5",
        (2, 3, 16, 16),
        "relu5_3",
    ),
    "timm and transformers: ConvNeXt": Pair(
        lambda: of("timm.models.convnext:ConvNeXt", depths=(1, 1, 2, 1), dims=(8, 16, 24, 32), num_classes=5),
        lambda: transformers("ConvNext", hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], layer_norm_eps=1e-6),
        swap("stages.1.blocks.0.mlp.act", "GELU", approximate="tanh"),
        OUTPUT,
        "stages.1.blocks.0.mlp.fc2",
    ),
    "timm and transformers: ViT": Pair(
        lambda: of(
            "timm:create_model", "vit_tiny_patch16_224", img_size=32, embed_dim=24, depth=2, num_heads=3, num_classes=5
        ),
        lambda: transformers(
            "ViT",
            hidden_size=24,
            num_hidden_layers=2,
            num_attention_heads=3,
            intermediate_size=96,
            image_size=32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            layer_norm_eps=1e-6,
        ),
        put("blocks.0.norm1", eps=1e-12),
        OUTPUT,
        "blocks.0.norm1",
        (2, 3, 32, 32),
    ),
    "transformers and torchvision: ResNet": Pair(
        short_transformers_resnet,
        lambda: short_resnet("torchvision"),
        put("resnet.encoder.stages.1.layers.0.layer.0.normalization", eps=1e-3),
        OUTPUT,
        "resnet.encoder.stages.1.layers.0.layer.0.normalization",
    ),
    "timm and torchvision: EfficientNet-B0": Pair(
        lambda: of("timm:create_model", "efficientnet_b0", num_classes=5, drop_rate=0.2, drop_path_rate=0.2),
        lambda: torchvision("efficientnet_b0"),
        swap("blocks.1.0.se.act1", "GELU"),
        OUTPUT,
        "blocks.1.0.se.conv_expand",
        (2, 3, 32, 32),
    ),
}
