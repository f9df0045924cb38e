"""What Paddle's own layers lack: a convolution that takes its padding as pairs and its bias as a bool."""

from paddle import nn

from common.layers import Padding, Pair


class Conv2d(nn.Conv2D):
    """``nn.Conv2D`` whose padding is ``((top, bottom), (left, right))``; NCHW.

    ``nn.Conv2D`` pads the sides differently by itself, given ``[top, bottom, left, right]``; two pairs it refuses.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = (1, 1),
        padding: Padding = ((0, 0), (0, 0)),
        dilation: Pair = (1, 1),
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        (top, bottom), (left, right) = padding
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            [top, bottom, left, right],
            dilation,
            groups,
            bias_attr=None if bias else False,
        )
