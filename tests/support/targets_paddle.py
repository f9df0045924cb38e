"""Networks of torchvision as a user would write them in Paddle."""

import itertools

import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.vision.models.resnet import BasicBlock, ResNet

from tests.support.targets import CLASSES, Inverted, Row


def act(name: str) -> nn.Layer:
    kinds = {"relu": nn.ReLU, "silu": nn.Silu, "hardswish": nn.Hardswish}
    return (kinds | {"sigmoid": nn.Sigmoid, "hardsigmoid": nn.Hardsigmoid})[name]()


class Excitation(nn.Layer):
    def __init__(self, channels: int, squeezed: int, gates: tuple[str, str]) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.reduce, self.expand = nn.Conv2D(channels, squeezed, 1), nn.Conv2D(squeezed, channels, 1)
        self.first, self.second = map(act, gates)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x * self.second(self.expand(self.first(self.reduce(self.pool(x)))))


class InvertedNet(nn.Layer):
    """MobileNetV3 and EfficientNet."""

    def __init__(self, numbers: Inverted) -> None:
        super().__init__()

        def unit(i: int, o: int, kernel: int, stride: int, groups: int, *name: str) -> list[nn.Layer]:
            conv = nn.Conv2D(i, o, kernel, stride, kernel // 2, groups=groups, bias_attr=False)
            norm = nn.BatchNorm2D(o, momentum=1 - numbers.momentum, epsilon=numbers.eps)
            return [conv, norm, *map(act, name)]

        def block(row: Row) -> nn.Layer:
            name, width = row.activation, row.expanded
            layers = unit(row.inputs, width, 1, 1, 1, name) if width != row.inputs else []
            layers += unit(width, width, row.kernel, row.stride, width, name)
            layers += [Excitation(width, row.squeezed, numbers.gates)] if row.squeezed else []
            return nn.Sequential(*layers, *unit(width, row.outputs, 1, 1, 1))

        rows = numbers.rows
        self.rows = rows
        self.stem = nn.Sequential(*unit(3, rows[0].inputs, 3, 2, 1, numbers.activation))
        self.blocks = nn.LayerList([block(row) for row in rows])
        self.last = nn.Sequential(*unit(rows[-1].outputs, numbers.last, 1, 1, 1, numbers.activation))
        hidden = [nn.Linear(numbers.last, numbers.hidden), act(numbers.activation)] if numbers.hidden else []
        self.head = nn.Sequential(*hidden, nn.Dropout(0.2), nn.Linear(numbers.hidden or numbers.last, CLASSES))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self.stem(x)
        for row, block in zip(self.rows, self.blocks, strict=True):
            x = x + block(x) if row.stride == 1 and row.inputs == row.outputs else block(x)
        return self.head(self.last(x).mean([2, 3]))


class ConvNeXtBlock(nn.Layer):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2D(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, epsilon=1e-6)
        self.expand, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = self.create_parameter([width], default_initializer=nn.initializer.Constant(1e-6))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.norm(self.depthwise(x).transpose([0, 2, 3, 1]))
        y = self.scale * self.project(F.gelu(self.expand(y)))
        return x + y.transpose([0, 3, 1, 2])


class ConvNeXt(nn.Layer):
    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        downs = [nn.Conv2D(3, widths[0], 4, 4)]
        downs += [nn.Conv2D(i, o, 2, 2) for i, o in itertools.pairwise(widths)]
        self.downs = nn.LayerList(downs)
        self.norms = nn.LayerList([nn.LayerNorm(width, epsilon=1e-6) for width in (widths[0], *widths)])
        self.blocks = nn.LayerList([ConvNeXtBlock(width) for width in widths])
        self.head = nn.Linear(widths[-1], CLASSES)

    def _normed(self, index: int, x: paddle.Tensor) -> paddle.Tensor:
        return self.norms[index](x.transpose([0, 2, 3, 1])).transpose([0, 3, 1, 2])

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        x = self._normed(0, self.downs[0](x))
        for index, block in enumerate(self.blocks):
            x = block(self.downs[index](self._normed(index, x)) if index else x)
        return self.head(self.norms[len(self.blocks)](x.mean([2, 3])))


class Segmentation(ResNet):
    """FCN on a ResNet of one block in each stage."""

    def __init__(self) -> None:
        super().__init__(BasicBlock, 18, num_classes=0, with_pool=False)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            del stage["1"]
        norm = nn.BatchNorm2D(128)
        conv = nn.Conv2D(512, 128, 3, padding=1, bias_attr=False)
        self.head = nn.Sequential(conv, norm, nn.ReLU(), nn.Dropout(0.1), nn.Conv2D(128, CLASSES, 1))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return F.interpolate(self.head(super().forward(x)), size=x.shape[2:], mode="bilinear", align_corners=False)
