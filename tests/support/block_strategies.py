"""Random options for the blocks of the catalogue, and inputs that these can take."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from common.layers import BatchNorm2d
from common.layers.values import Shape
from common.spec import BlockSpec
from common.spec.catalogue import block
from tests.support.strategies import CHANNELS, PIXELS, SMALL, convs


@st.composite
def blocks(draw: st.DrawFn, family: str, wide: bool = False) -> tuple[BlockSpec, Shape]:
    """A block that every framework has by hand, with options of its own, and an input shape that it can take.

    If ``wide`` maps may be so wide, and have so many channels, that tuned forms take them apart.
    """
    sizes, widths = (st.integers(1, 6), st.integers(8, 11))
    if wide:
        sizes, widths = sizes | st.sampled_from([9, 16, 36]), widths | st.integers(17, 24)
    n, channels, out = draw(st.integers(2, 5)), draw(sizes), draw(sizes)
    shape: Shape = (n, channels, draw(st.integers(7, 10)), draw(widths))
    conv = draw(convs(shape))
    bias, affine, slope = draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from([0.01, 0.1, 0.3]))
    geometry = {name: getattr(conv, name) for name in ("kernel_size", "stride", "padding", "dilation")}
    grouped = {"out_channels": conv.out_channels, "groups": conv.groups}
    normed = {"affine": affine, "negative_slope": slope}
    odd = st.sampled_from([1, 3])
    options: dict[str, Any]
    match family:
        case "standard_conv":
            options = {"in_channels": channels, "out_channels": out, "bias": bias, **geometry}
        case "grouped_conv":
            options = {"in_channels": channels, "bias": bias, **grouped, **geometry}
        case "depthwise_conv":
            options = {"channels": channels, "multiplier": draw(SMALL), "bias": bias, **geometry}
        case "pointwise_conv":
            stride = draw(SMALL), draw(SMALL)
            options = {"in_channels": channels, "out_channels": out, "stride": stride, "bias": bias}
        case "conv_bn_act":
            eps, momentum = draw(st.sampled_from([1e-5, 1e-3])), draw(st.sampled_from([0.01, 0.1, 0.3]))
            options = {"in_channels": channels, "eps": eps, "momentum": momentum, "bias": bias}
            options |= normed | grouped | geometry
        case "depthwise_separable":
            options = {"in_channels": channels, "out_channels": out, "bias": bias, **normed, **geometry}
        case "ghost_module":
            options = {
                "in_channels": channels,
                "out_channels": out,
                "kernel_size": (draw(odd), draw(odd)),
                "cheap_kernel_size": (draw(odd), draw(st.sampled_from([3, 5]))),
                "ratio": draw(st.integers(2, 3)),
                "stride": conv.stride,
                "relu": draw(st.booleans()),
            }
        case "residual_basic":
            options = {"in_channels": channels, "out_channels": out, "stride": conv.stride}
        case "residual_bottleneck":
            options = {"in_channels": channels, "out_channels": 4 * draw(SMALL), "stride": conv.stride}
        case "resnet":
            options = {"in_channels": channels, "classes": out + 1, "width": 4, "bottlenecks": draw(st.booleans())}
            options["depths"] = tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=2)))
            return block(family, **options), (n, channels, 24, 32)
        case "inverted_residual":
            word = st.sampled_from(["relu", "relu6", "hardswish", "silu"])
            options = {"in_channels": channels, "out_channels": out, "hidden": draw(st.integers(1, 8))}
            options |= {"kernel_size": (draw(odd), draw(odd)), "stride": conv.stride, "act": draw(word)}
            options |= {"squeeze": draw(st.integers(0, 3)), "squeeze_act": draw(word)}
            options["gate"] = draw(st.sampled_from(["hardsigmoid", "sigmoid"]))
        case "mobilenet_v2" | "efficientnet":
            options = {"in_channels": channels, "classes": out + 1, "width": draw(st.sampled_from([0.2, 0.3, 0.5]))}
            options["depths"] = tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=3)))
            return block(family, **options), (n, channels, 16, 24)
        case "mobilenet_v3":
            options = {"in_channels": channels, "classes": out + 1, "width": draw(st.sampled_from([0.2, 0.3, 0.5]))}
            options |= {"large": draw(st.booleans()), "blocks": draw(st.integers(1, 5))}
            return block(family, **options), (n, channels, 32, 24)
        case "ghost_bottleneck":
            options = {"in_channels": channels, "out_channels": out, "hidden": draw(st.integers(1, 8))}
            options |= {
                "kernel_size": (draw(odd), draw(odd)),
                "stride": conv.stride,
                "squeeze": draw(st.integers(0, 3)),
            }
        case "ghostnet":
            options = {"in_channels": channels, "classes": out + 1, "width": draw(st.sampled_from([0.2, 0.3, 0.5]))}
            options |= {"blocks": draw(st.integers(1, 5)), "features": draw(st.integers(4, 8))}
            return block(family, **options), (n, channels, 32, 24)
        case "shuffle_unit":
            outs = 2 * draw(SMALL)
            options = {"in_channels": outs if conv.stride == (1, 1) else channels, "out_channels": outs}
            options["stride"] = conv.stride
            shape = (n, options["in_channels"], *shape[2:])
        case "shufflenet_v2":
            options = {"in_channels": channels, "classes": out + 1, "width": 2 * draw(SMALL), "features": 8}
            options["depths"] = tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=2)))
            return block(family, **options), (n, channels, 32, 24)
        case "fire_module":
            options = {"in_channels": channels, "squeeze": draw(SMALL), "expand": out, "expand3": draw(SMALL)}
        case "squeezenet":
            options = {"in_channels": channels, "classes": out + 1, "width": draw(st.sampled_from([0.1, 0.15, 0.2]))}
            options["modules"] = draw(st.integers(1, 3))
            return block(family, **options), (n, channels, 39, 31)
        case "convnext_block":
            options = {"channels": draw(st.integers(CHANNELS, 8)), "expansion": draw(SMALL)}
            options["kernel_size"] = (draw(odd), draw(st.sampled_from([3, 5, 7])))
            shape = (n, options["channels"], *shape[2:])
        case "convnext":
            options = {"in_channels": channels, "classes": out + 1, "width": draw(st.integers(CHANNELS, 8))}
            options["depths"] = tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=2)))
            return block(family, **options), (n, channels, 16, 24)
        case "repvgg_block":
            options = {"in_channels": channels, "out_channels": draw(st.sampled_from([channels, out]))}
            options |= {"stride": conv.stride, "deployed": draw(st.booleans())}
        case "repvgg":
            options = {"in_channels": channels, "classes": out + 1, "width": draw(SMALL), "features": out}
            options["depths"] = tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=3)))
            options["deployed"] = draw(st.booleans())
            return block(family, **options), (n, channels, 16, 24)
        case "mobilenet_v1":
            pool = draw(st.sampled_from([(2, 1), (1, 2)]))  # all of its last map
            shape = (n, channels, 32 * pool[0], 32 * pool[1])
            options = {"in_channels": channels, "classes": out + 1, "pool_size": pool, "bias": bias}
            options |= {"alpha": draw(st.sampled_from([0.1, 0.125, 0.15])), "softmax": draw(st.booleans())}
            return block(family, **options), shape  # too deep to be trained on small maps, so any norm will do
        case _:
            options = {"in_channels": channels, "width": out, "depth": draw(SMALL), **normed}
    spec = block(family, **options)
    shapes = spec.shapes(shape)
    normalised = [shapes[node.name] for node in spec.nodes if isinstance(node.layer, BatchNorm2d)]
    assume(all(n * height * width >= PIXELS for n, _, height, width in normalised))
    return spec, shape
