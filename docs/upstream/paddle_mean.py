"""paddle.mean of many float32 values is inaccurate on the CPU.

What happens: the mean of 2,097,152 squared normal values is off by 6e-5 of itself, that of as many times 0.1 by 2.5e-3,
as if they were added one after another; ``sum() / n`` of the same tensors is off by 2e-8 and 4e-6.

Expected: an error as small as that of ``sum() / n``.

Versions: paddlepaddle 3.3.1 (CPU, Linux x86-64), Python 3.11. Needs paddle and numpy alone.
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
        mean, sum_over_n = (float(found) / exact - 1 for found in (paddle.mean(tensor), paddle.sum(tensor) / N))
        print(f"{name}: relative error of mean {mean:.1e}, of sum / n {sum_over_n:.1e}")
