"""The mistakes that ports make, each with the level that must catch it and the layer at which it begins."""

from collections.abc import Callable

import numpy as np

from common.check import divergence
from common.faults import layers as faulty
from common.faults import optimisers, rewrites
from common.faults.cases import CONVOLUTIONS, GATED, HEAD, JOINED, SEPARABLE
from common.faults.injection import Fault, Update
from common.faults.rewrites import Relayout, Rewrite, after, changed, reading, recast, swapped, without
from common.layers import (
    AvgPool2d,
    BatchNorm2d,
    GroupNorm,
    Hardsigmoid,
    Hardswish,
    MaxPool2d,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
)
from common.oracle.backprop import without_dropout
from common.oracle.optimisers import SGD, Optimiser
from common.spec.catalogue import Case, cases


def _geometry() -> list[Fault]:
    def fault(
        name: str, mistake: str, layer: str, wrong: Rewrite, case: Case = CONVOLUTIONS, level: str = "forward"
    ) -> Fault:
        return Fault(name, mistake, case, level, layer, wrong)

    dw = "depthwise.conv"
    return [
        fault(
            "pad on the wrong side",
            "unequal padding, before and after exchanged",
            dw,
            changed(dw, padding=((1, 0), (0, 1))),
            SEPARABLE,
        ),
        fault(
            "SAME at stride 2",
            "`SAME` for a padding of 1 on both sides",
            "down",
            changed("down", padding=((0, 1), (1, 1))),
        ),
        fault("no padding", "padding left at its default, 0", "down", changed("down", padding=0), level="shape"),
        fault(
            "padding axes swapped",
            "width's padding given for height",
            "multiplied",
            changed("multiplied", padding=((2, 2), (1, 1))),
            level="shape",
        ),
        fault(
            "edge padding",
            "pads with the edge's values, not with zeros",
            "grouped",
            recast("grouped", faulty.ReplicatedConv2d),
        ),
        fault("stride forgotten", "stride left at 1", "down", changed("down", stride=(1, 1)), level="shape"),
        fault(
            "stride axes swapped",
            "(width, height) for (height, width)",
            "multiplied",
            changed("multiplied", stride=(1, 2)),
            level="shape",
        ),
        fault(
            "dilation ignored",
            "dilation 1, padded to the same size",
            "grouped",
            changed("grouped", dilation=(1, 1), padding=1),
        ),
        fault(
            "dilation as stride",
            "dilation given where the stride belongs",
            "grouped",
            changed("grouped", dilation=(1, 1), stride=(2, 2)),
            level="shape",
        ),
        fault(
            "pool stride 1",
            "a pool's stride left at 1 (nnx.avg_pool's default), not the window",
            "pool",
            changed("pool", stride=(1, 1)),
            level="shape",
        ),
        fault(
            "pool padding not counted",
            "the padding's zeros left out of the mean (Paddle's default)",
            "pool",
            changed("pool", count_include_pad=False),
            HEAD,
        ),
        fault("max pool", "maximum for mean", "pool", changed("pool", layer=MaxPool2d((2, 2)))),
    ]


def _layout() -> list[Fault]:
    def stored(
        name: str, mistake: str, array: str, store: Relayout, read: Relayout | None = None, case: Case = CONVOLUTIONS
    ) -> Fault:
        return Fault(name, mistake, case, "forward", array.rpartition(".")[0], **rewrites.stored(array, store, read))

    def lost(name: str, mistake: str, change: Relayout, *names: str) -> Fault:
        return Fault(
            name, mistake, SEPARABLE, "parameters", names[0].rpartition(".")[0], **rewrites.lost(change, *names)
        )

    return [
        stored(
            "kernel flipped", "a true convolution: the kernel turned by 180 degrees", "down.weight", rewrites.flipped
        ),
        stored("kernel axes swapped", "kernel stored [width, height]", "grouped.weight", rewrites.turned),
        stored("BGR", "the channels of the input in reverse order", "down.weight", rewrites.reversed_channels),
        stored("1x1 kernel transposed", "a square pointwise kernel [in, out]", "mixed.weight", rewrites.crossed),
        stored("linear transposed", "a square linear weight [in, out]", "hidden.weight", rewrites.crossed, case=HEAD),
        stored("groups in reverse", "the groups' kernels in reverse order", "grouped.weight", rewrites.groups_reversed),
        stored(
            "groups interleaved",
            "the output channels of the groups interleaved",
            "grouped.weight",
            *rewrites.interleaved(2),
        ),
        stored(
            "multiplier order",
            "[multiplier, channel] for [channel, multiplier]",
            "multiplied.weight",
            *rewrites.interleaved(6),
        ),
        Fault(
            "NHWC flatten",
            "flattens [h, w, c] before weights made for [c, h, w]",
            HEAD,
            "forward",
            "flatten",
            recast("flatten", faulty.NhwcFlatten),
        ),
        Fault(
            "float16 weight",
            "a weight rounded to float16 on the way through",
            CONVOLUTIONS,
            "forward",
            "mixed",
            recast("mixed", faulty.HalfConv2d),
        ),
        lost("bias not copied", "a bias left at zero", np.zeros_like, "depthwise.conv.bias"),
        lost(
            "statistics not copied", "running statistics left at 0 and 1", np.zeros_like, "pointwise.norm.running_mean"
        ),
        lost(
            "saved as float16",
            "arrays saved in float16",
            lambda w: w.astype(np.float16).astype(np.float32),
            "pointwise.conv.weight",
        ),
        lost(
            "variance for deviation",
            "the running deviation stored where the variance belongs",
            np.sqrt,
            "depthwise.norm.running_var",
        ),
        Fault(
            "bias forgotten",
            "built without a bias",
            SEPARABLE,
            "parameters",
            "depthwise.conv",
            changed("depthwise.conv", bias=False),
        ),
        Fault(
            "bias too many",
            "built with a bias before a norm",
            SEPARABLE,
            "parameters",
            "pointwise.conv",
            changed("pointwise.conv", bias=True),
        ),
        Fault(
            "norm not affine",
            "built without scale and shift",
            SEPARABLE,
            "parameters",
            "pointwise.norm",
            changed("pointwise.norm", affine=False),
        ),
        Fault(
            "norm forgotten",
            "no norm between the two convolutions",
            SEPARABLE,
            "parameters",
            "depthwise.norm",
            without("depthwise.norm"),
        ),
    ]


def _functions() -> list[Fault]:
    def fault(name: str, mistake: str, layer: str, wrong: Rewrite, case: Case = SEPARABLE) -> Fault:
        return Fault(name, mistake, case, "forward", layer, wrong)

    return [
        fault("ReLU for LeakyReLU", "no slope", "depthwise.act", changed("depthwise.act", layer=ReLU())),
        fault(
            "slope", "the default slope 0.01 for 0.2", "pointwise.act", changed("pointwise.act", negative_slope=0.01)
        ),
        fault("ReLU6 for ReLU", "cut off at 6", "act", recast("act", ReLU6), HEAD),
        fault("activation forgotten", "none between the two convolutions", "pointwise.conv", without("depthwise.act")),
        fault(
            "activation too many",
            "one between convolution and norm",
            "pointwise.norm",
            after("pointwise.conv", ReLU(), "pointwise.norm"),
        ),
        fault(
            "activation before norm",
            "norm and activation exchanged",
            "depthwise.norm",
            swapped("depthwise.norm", "depthwise.act"),
        ),
        fault(
            "norm before convolution",
            "norm and convolution exchanged",
            "depthwise.conv",
            swapped("depthwise.conv", "depthwise.norm"),
        ),
        fault("norm eps", "eps 1e-3 for 1e-5", "depthwise.norm", changed("depthwise.norm", eps=1e-3)),
        fault(
            "norm eps outside",
            "eps added to the deviation, not to the variance",
            "pointwise.norm",
            recast("pointwise.norm", faulty.EpsOutsideBatchNorm2d),
        ),
        fault("concat order", "the cheap features first", "both", reading("both", "cheap.act", "primary.act"), JOINED),
        fault("wrong slice", "the last channels for the first", "part", changed("part", start=2, stop=8), JOINED),
        fault(
            "shortcut from elsewhere",
            "the sum reads its operand after the activation",
            "sum",
            lambda spec: reading("sum", "part", "more")(after("shortcut", ReLU(), "sum")(spec)),
            JOINED,
        ),
        fault("shortcut forgotten", "no sum", "act", reading("act", "part"), JOINED),
        fault(
            "dropout scales in evaluation",
            "the scale of dropout before it was inverted",
            "dropout",
            recast("dropout", faulty.ScaledDropout),
            HEAD,
        ),
        fault("softmax axis", "over the batch", "softmax", recast("softmax", faulty.BatchSoftmax), HEAD),
    ]


def _later_networks() -> list[Fault]:
    def fault(name: str, mistake: str, layer: str, wrong: Rewrite, level: str = "forward") -> Fault:
        return Fault(name, mistake, GATED, level, layer, wrong)

    return [
        fault("groups of channels", "8 groups for 2", "group", changed("group", num_groups=8)),
        fault(
            "batch norm for group norm",
            "statistics of the batch, which are kept",
            "group",
            changed("group", layer=BatchNorm2d(8)),
            "parameters",
        ),
        fault("SiLU for Hardswish", "smooth for piecewise", "swish", changed("swish", layer=SiLU())),
        fault("mean pool", "mean for maximum", "pool", changed("pool", layer=AvgPool2d((3, 3), (2, 2), (1, 1)))),
        fault("max pool unpadded", "padding left at its default, 0", "pool", changed("pool", padding=(0, 0)), "shape"),
        fault("Hardswish for SiLU", "piecewise for smooth", "silu", changed("silu", layer=Hardswish())),
        fault("sigmoid for Hardsigmoid", "smooth for piecewise", "gate", changed("gate", layer=Sigmoid())),
        fault("gate not squashed", "a gate without its sigmoid", "gated", without("gate")),
        fault("gate of another map", "multiplied with itself", "gated", reading("gated", "pool", "pool")),
        fault("shuffled back", "the inverse shuffle, of 4 groups for 2", "shuffle", changed("shuffle", groups=4)),
        fault("shuffle forgotten", "channels left in their runs", "layer", without("shuffle")),
        fault(
            "layer norm over the map",
            "over channels and pixels, not over the channels of each pixel",
            "layer",
            changed("layer", layer=GroupNorm(8, 1e-3, num_groups=1)),
        ),
        fault("layer norm eps", "eps 1e-5 for 1e-3", "layer", changed("layer", eps=1e-5)),
        fault("layer scale forgotten", "no factor of each channel", "scale", without("scale"), "parameters"),
        fault("GELU approximated", "by tanh, as JAX does by default", "gelu", changed("gelu", approximate="tanh")),
        fault("ReLU for ReLU6", "not cut off at 6", "six", changed("six", layer=ReLU())),
        fault("Hardsigmoid for sigmoid", "piecewise for smooth", "soft", changed("soft", layer=Hardsigmoid())),
    ]


def _training() -> list[Fault]:
    def fault(name: str, mistake: str, level: str, layer: str, wrong: Rewrite, case: Case = SEPARABLE) -> Fault:
        return Fault(name, mistake, case, level, layer, wrong)

    norm = "depthwise.norm"
    return [
        fault(
            "stride on the other conv",
            "pointwise for depthwise: the same in evaluation, but the norm between sees other pixels in training",
            "forward_train",
            "depthwise.conv",
            lambda spec: changed("pointwise.conv", stride=(2, 2))(changed("depthwise.conv", stride=(1, 1))(spec)),
        ),
        fault(
            "norm frozen",
            "running statistics in training too",
            "forward_train",
            norm,
            recast(norm, faulty.FrozenBatchNorm2d),
        ),
        fault("momentum not complemented", "0.9 for 0.1", "buffers", norm, changed(norm, momentum=0.9)),
        fault("momentum", "0.01 for 0.1", "buffers", "pointwise.norm", changed("pointwise.norm", momentum=0.01)),
        fault("statistics not updated", "buffers stay as they were", "buffers", norm, changed(norm, momentum=0.0)),
        fault(
            "other variance",
            "unbiased for biased, or the other way round",
            "buffers",
            norm,
            recast(norm, faulty.OtherVarianceBatchNorm2d),
        ),
        fault(
            "weight detached",
            "no gradient reaches one weight",
            "gradients",
            "pointwise.conv",
            recast("pointwise.conv", faulty.DetachedConv2d),
        ),
        fault(
            "dropout's rate",
            "the share that is kept for the share that is dropped",
            "use",
            "dropout",
            lambda spec: spec if spec == without_dropout(spec) else changed("dropout", rate=0.6)(spec),
            HEAD,
        ),
        fault(
            "dropout forgotten", "nothing is dropped in training", "use", "dropout", changed("dropout", rate=0.0), HEAD
        ),
        fault(
            "branch detached",
            "no gradient comes back through one branch",
            "gradients",
            "cheap.conv or both",
            after("primary.act", faulty.Detached(), "cheap.conv"),
            JOINED,
        ),
        fault(
            "statistics detached",
            "batch statistics taken for constants",
            "gradients",
            norm,
            recast(norm, faulty.DetachedBatchNorm2d),
        ),
        fault(
            "activation's gradient",
            "ReLU's for LeakyReLU's",
            "gradients",
            "depthwise.act",
            recast("depthwise.act", faulty.HardGradientLeakyReLU),
        ),
    ]


def _optimisers() -> list[Fault]:
    def fault(
        name: str, mistake: str, update: Callable[[Optimiser], Update], layer: str = divergence.OPTIMISER
    ) -> Fault:
        return Fault(name, mistake, SEPARABLE, "trajectory", layer, update=update)

    return [
        fault("no weight decay", "SGD without its L2 term", optimisers.for_sgd(weight_decay=0.0)),
        fault("decay decoupled", "decay beside the momentum, as in AdamW", optimisers.decoupled_decay),
        fault("decay of weights only", "biases and norms left out", optimisers.undecayed_vectors),
        fault("no momentum", "plain SGD", optimisers.for_sgd(momentum=0.0)),
        fault(
            "momentum damped", "the gradient scaled by 1 - momentum", optimisers.for_sgd(lr=SGD.lr * (1 - SGD.momentum))
        ),
        fault("Nesterov", "Nesterov's momentum for the heavy ball", optimisers.nesterov),
        fault("Adam's beta2", "0.99 for 0.999", optimisers.for_adam(beta2=0.99)),
        fault("Adam uncorrected", "no bias correction", optimisers.uncorrected),
        fault("Adam's eps inside", "eps under the root", optimisers.eps_inside),
        fault("gradients not cleared", "they add up from step to step", optimisers.uncleared),
        fault(
            "parameter forgotten",
            "one bias not given to the optimiser",
            optimisers.forgotten("pointwise.norm.bias"),
            "pointwise.norm",
        ),
    ]


def _written() -> list[Fault]:
    """In the text of the blocks that people copy; each framework's `faults.py` has the text."""

    def fault(name: str, mistake: str, case: str, level: str, layer: str) -> Fault:
        found = next(item for item in cases() if item.id == case)
        return Fault(f"written: {name}", mistake, found, level, layer, written=True)

    return [
        fault(
            "padding on the other side",
            "before and after exchanged",
            "standard_conv-unequal",
            "forward",
            "conv",
        ),
        fault(
            "stride for dilation",
            "stride and dilation exchanged",
            "depthwise_separable-unequal",
            "shape",
            "depthwise.conv",
        ),
        fault("activation before norm", "norm and activation exchanged", "conv_bn_act-eps_momentum", "forward", "norm"),
        fault("norm eps", "eps left at its default", "conv_bn_act-eps_momentum", "forward", "norm"),
        fault("momentum", "the other convention's: 1 - momentum", "conv_bn_act-eps_momentum", "buffers", "norm"),
        fault("concat order", "the cheap maps first", "ghost_module-odd_out", "forward", "after cheap.act"),
        fault(
            "activation too many",
            "one between the two convolutions",
            "separable_stack-slope",
            "forward",
            "blocks.0.pointwise",
        ),
        fault(
            "stride a block late",
            "the strides of two blocks exchanged: the output keeps its shape",
            "mobilenet_v1-logits",
            "forward",
            "blocks.1.depthwise.conv",
        ),
        fault(
            "depthwise part detached",
            "no gradient comes back through the pointwise part",
            "depthwise_separable-s2_sides",
            "gradients",
            "pointwise.conv",
        ),
    ]


FAULTS = (*_geometry(), *_layout(), *_functions(), *_later_networks(), *_training(), *_optimisers(), *_written())
