"""ResNet."""

from common.layers import Flatten, GlobalAvgPool2d, Linear, MaxPool2d, ReLU
from common.layers.values import Depths
from common.spec import Node, chain, family
from common.spec.blocks.residual import SOURCE, basic, bottleneck, conv_norm
from common.spec.entry import Case, Counts, Entry, sized


@family
def resnet(
    in_channels: int = 3,
    classes: int = 1000,
    depths: Depths = (2, 2, 2, 2),
    width: int = 64,
    bottlenecks: bool = False,
) -> list[Node]:
    """ResNet (He et al., 2015, https://arxiv.org/abs/1512.03385): 18 with the defaults, and logits as output.

    ``depths`` (3, 4, 6, 3) gives ResNet-34, and ResNet-50 with ``bottlenecks``, whose output is four times as wide. A
    stage doubles the channels, which start from ``width``, and all but the first halve the map.
    """
    make, expansion = (bottleneck, 4) if bottlenecks else (basic, 1)
    nodes = [
        *conv_norm("stem", in_channels, width, (7, 7), (2, 2), ReLU()),
        Node("pool", MaxPool2d((3, 3), (2, 2), (1, 1))),
    ]
    channels = width
    strides = [(1 if stage == 0 or i else 2, stage) for stage, depth in enumerate(depths) for i in range(depth)]
    for number, (stride, stage) in enumerate(strides):
        out = width * 2**stage * expansion
        nodes += make(f"blocks.{number}.", nodes[-1].name, channels, out, (stride, stride))
        channels = out
    return [
        *nodes,
        *chain("head", ("pool", GlobalAvgPool2d()), ("flatten", Flatten()), ("linear", Linear(channels, classes))),
    ]


_LARGE = (1, 3, 224, 224)
_R50 = resnet(depths=(3, 4, 6, 3), bottlenecks=True)
ENTRIES = (
    Entry(
        resnet,
        SOURCE,
        cases=(
            Case("bottlenecks", resnet(3, 7, (1, 2), 2, bottlenecks=True), (4, 3, 40, 24), seed=6),
            Case("basic", resnet(2, 5, (2, 1), 3), (5, 2, 24, 40)),
        ),
        timed={"full": (sized("r18", resnet(), _LARGE), sized("r50", _R50, _LARGE))},
        # Computed from torchvision's resnet18 and resnet50 by FlopCounterMode / 2.
        published={
            sized("r18", resnet(), _LARGE): Counts((1, 1000), 11_689_512, 9600, 1_814_073_344),
            sized("r50", _R50, _LARGE): Counts((1, 1000), 25_557_032, 53_120, 4_089_184_256),
        },
    ),
)
