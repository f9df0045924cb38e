"""paddle.mean of many float32 values is inaccurate on the CPU.

What happens: the relative error of the mean of 2,097,152 squared normal values is 6e-5, and that of as many values 0.1
is 2.5e-3, as if the values were added one after another. The errors of ``sum() / n`` are 2e-8 and 4e-6.

Expected: an error as small as that of ``sum() / n``.

Versions: paddlepaddle 3.3.1 (CPU, Linux x86-64), Python 3.11. Needs only paddle and numpy.
"""

import sys

import numpy as np
import paddle

N = 2**21
VALUES = {
    "squared normal values": np.random.default_rng(0).standard_normal(N).astype(np.float32) ** 2,
    "0.1": np.full(N, 0.1, np.float32),
}

if __name__ == "__main__":
    print(f"paddlepaddle {paddle.__version__}, Python {sys.version.split()[0]}")
    for name, values in VALUES.items():
        exact, tensor = values.mean(dtype=np.float64), paddle.to_tensor(values, place="cpu")
        mean, sum_over_n = (float(value) / exact - 1 for value in (paddle.mean(tensor), paddle.sum(tensor) / N))
        print(f"{name}: relative error of mean {mean:.1e}, of sum / n {sum_over_n:.1e}")
