"""Networks of torchvision as a user would write them in Flax: nnx, and linen where jax-resnet is part of it."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen, nnx
from jax_resnet import ResNet18

from tests.support.targets import CLASSES, Inverted, Row

ACTS = {"relu": nnx.relu, "silu": nnx.silu, "hardswish": nnx.hard_swish, "sigmoid": nnx.sigmoid}
ACTS |= {"hardsigmoid": nnx.hard_sigmoid}
RNGS = nnx.Rngs(0)


class Unit(nnx.Module):
    def __init__(self, numbers: Inverted, i: int, o: int, kernel: int, stride: int, groups: int, act: str) -> None:
        size, padding, self.act = (kernel, kernel), kernel // 2, ACTS.get(act)
        self.conv = nnx.Conv(i, o, size, stride, padding=padding, feature_group_count=groups, use_bias=False, rngs=RNGS)
        self.norm = nnx.BatchNorm(o, momentum=1 - numbers.momentum, epsilon=numbers.eps, rngs=RNGS)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.norm(self.conv(x))
        return self.act(x) if self.act else x


class Block(nnx.Module):
    def __init__(self, numbers: Inverted, row: Row) -> None:
        width, self.gates = row.expanded, tuple(ACTS[name] for name in numbers.gates)
        self.residual = row.stride == 1 and row.inputs == row.outputs
        self.expand = Unit(numbers, row.inputs, width, 1, 1, 1, row.activation) if width != row.inputs else None
        self.depthwise = Unit(numbers, width, width, row.kernel, row.stride, width, row.activation)
        self.reduce = nnx.Linear(width, row.squeezed, rngs=RNGS) if row.squeezed else None
        self.widen = nnx.Linear(row.squeezed, width, rngs=RNGS) if row.squeezed else None
        self.project = Unit(numbers, width, row.outputs, 1, 1, 1, "")

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.depthwise(self.expand(x) if self.expand else x)
        if self.reduce and self.widen:
            mean = y.mean((1, 2), keepdims=True)
            y = y * self.gates[1](self.widen(self.gates[0](self.reduce(mean))))
        return x + self.project(y) if self.residual else self.project(y)


class InvertedNet(nnx.Module):
    """MobileNetV3 and EfficientNet."""

    def __init__(self, numbers: Inverted) -> None:
        rows, self.act = numbers.rows, ACTS[numbers.activation]
        self.stem = Unit(numbers, 3, rows[0].inputs, 3, 2, 1, numbers.activation)
        self.blocks = nnx.List([Block(numbers, row) for row in rows])
        self.last = Unit(numbers, rows[-1].outputs, numbers.last, 1, 1, 1, numbers.activation)
        self.hidden = nnx.Linear(numbers.last, numbers.hidden, rngs=RNGS) if numbers.hidden else None
        self.dropout = nnx.Dropout(0.2, rngs=RNGS)
        self.head = nnx.Linear(numbers.hidden or numbers.last, CLASSES, rngs=RNGS)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.last(x).mean((1, 2))
        return self.head(self.dropout(self.act(self.hidden(x)) if self.hidden else x))


class ConvNeXtBlock(nnx.Module):
    def __init__(self, width: int) -> None:
        self.depthwise = nnx.Conv(width, width, (7, 7), padding=3, feature_group_count=width, rngs=RNGS)
        self.norm = nnx.LayerNorm(width, epsilon=1e-6, rngs=RNGS)
        self.expand = nnx.Linear(width, 4 * width, rngs=RNGS)
        self.project = nnx.Linear(4 * width, width, rngs=RNGS)
        self.scale = nnx.Param(jnp.full(width, 1e-6))

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.project(nnx.gelu(self.expand(self.norm(self.depthwise(x))), approximate=False))
        return x + self.scale[...] * y


class ConvNeXt(nnx.Module):
    def __init__(self, widths: tuple[int, ...]) -> None:
        downs = [nnx.Conv(3, widths[0], (4, 4), 4, padding=0, rngs=RNGS)]
        downs += [nnx.Conv(i, o, (2, 2), 2, padding=0, rngs=RNGS) for i, o in itertools.pairwise(widths)]
        self.downs = nnx.List(downs)
        self.norms = nnx.List([nnx.LayerNorm(width, epsilon=1e-6, rngs=RNGS) for width in (widths[0], *widths)])
        self.blocks = nnx.List([ConvNeXtBlock(width) for width in widths])
        self.head = nnx.Linear(widths[-1], CLASSES, rngs=RNGS)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.norms[0](self.downs[0](x))
        for index, block in enumerate(self.blocks):
            x = block(self.downs[index](self.norms[index](x)) if index else x)
        return self.head(self.norms[len(self.blocks)](x.mean((1, 2))))


class Segmentation(linen.Module):
    """FCN on a ResNet of one block in each stage."""

    @linen.compact
    def __call__(self, x: jax.Array, train: bool = False) -> Any:
        backbone = ResNet18(stage_sizes=[1, 1, 1, 1], n_classes=CLASSES)
        y = backbone.layers[0](x)
        for layer in backbone.layers[1:-2]:
            y = layer(y)
        y = linen.Conv(128, (3, 3), padding=1, use_bias=False)(y)
        y = linen.relu(linen.BatchNorm(use_running_average=not train, momentum=0.9)(y))
        y = linen.Conv(CLASSES, (1, 1))(linen.Dropout(0.1, deterministic=not train)(y))
        return jax.image.resize(y, (*x.shape[:3], CLASSES), "bilinear")
