"""Paddle's GroupNorm without a scale: its output is right, and its gradient of the input is wrong on a CPU.

With a scale of ones it is the same function, and the gradient is right: differences in float64 confirm it. Seen in
paddlepaddle 3.3.1 with ``weight_attr=False``, with a bias and without.
"""

import numpy as np
import paddle
from paddle import nn

paddle.set_default_dtype("float64")
rng = np.random.default_rng(0)
x, dy = rng.normal(size=(2, 4, 3, 3)), rng.normal(size=(2, 4, 3, 3))


def gradient(norm: nn.GroupNorm) -> np.ndarray:
    """The gradient of ``sum(norm(x) * dy)`` with respect to ``x``."""
    tensor = paddle.to_tensor(x, stop_gradient=False)
    (norm(tensor) * paddle.to_tensor(dy)).sum().backward()
    return tensor.grad.numpy()


with_scale, without = nn.GroupNorm(2, 4), nn.GroupNorm(2, 4, weight_attr=False, bias_attr=False)
step = np.zeros_like(x)
step[0, 0, 0, 0] = 1e-6
sums = [float((with_scale(paddle.to_tensor(x + sign * step)) * paddle.to_tensor(dy)).sum()) for sign in (1, -1)]
print("by differences", (sums[0] - sums[1]) / 2e-6)
print("with a scale  ", gradient(with_scale)[0, 0, 0, 0])
print("without       ", gradient(without)[0, 0, 0, 0])
difference = np.abs(gradient(with_scale) - gradient(without)).max()
print(
    f"greatest difference {difference:.2g}: " + ("the defect is there" if difference > 1e-9 else "the defect is gone")
)
