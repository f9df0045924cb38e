"""Layers that compute something else, for mistakes that no spec can state; each framework has them in `faults.py`."""

from common.layers import BatchNorm2d, Conv2d, Dropout, Flatten, LeakyReLU, Softmax
from common.layers.base import Arrangement
from common.layers.values import Shape


class NhwcFlatten(Flatten):
    """Flattens an NHWC map: channels fastest."""


class BatchSoftmax(Softmax):
    """Softmax over the batch."""


class ScaledDropout(Dropout):
    """Scales by ``1 - rate`` in evaluation, as before inverted dropout (Paddle's ``downscale_in_infer``)."""


class ReplicatedConv2d(Conv2d):
    """Pads with the edge's values."""


class HalfConv2d(Conv2d):
    """Rounds its weight to float16."""


class DetachedConv2d(Conv2d):
    """Its weight gets no gradient."""


class Detached(Arrangement):
    """The identity, through which no gradient comes back."""

    def channels(self, *channels: int | None) -> int | None:
        return channels[0]

    def output_shape(self, *shapes: Shape) -> Shape:
        return shapes[0]


class HardGradientLeakyReLU(LeakyReLU):
    """LeakyReLU with ReLU's gradient."""


class FrozenBatchNorm2d(BatchNorm2d):
    """Uses the running statistics in training too, and does not update them."""


class DetachedBatchNorm2d(BatchNorm2d):
    """Treats the batch statistics as constants in its gradient."""


class OtherVarianceBatchNorm2d(BatchNorm2d):
    """Averages the biased variance where the framework averages the unbiased one, and the other way round."""


class EpsOutsideBatchNorm2d(BatchNorm2d):
    """Divides by ``sqrt(var) + eps``."""
