"""Paddle Inference with oneDNN ends the process on a convolution followed by LeakyReLU (PIR).

What happens: ``create_predictor`` ends with SIGSEGV in ``conv_activation_onednn_fuse_pass``. ``FusedConv2dOp::Build``
takes ``fuse_alpha`` for a ``FloatAttribute``, but the ``negative_slope`` of ``leaky_relu`` is a ``DoubleAttribute``
(``{"#": "0.a_f64", "D": 0.1}`` in the exported model), so a null pointer is read.

Expected: the output of the eager layer, as with ReLU, or with ``delete_pass("conv_activation_onednn_fuse_pass")``.

Versions: paddlepaddle 3.3.1 (CPU, Linux x86-64), Python 3.11. Needs only paddle and numpy.
"""

import subprocess
import sys
import tempfile

import numpy as np
import paddle
from paddle import inference, nn


def run(activation: nn.Layer, *deleted: str) -> float:
    """Greatest difference between Paddle Inference and the eager layer."""
    layer, x = nn.Sequential(nn.Conv2D(3, 4, 3), activation), paddle.ones([1, 3, 8, 8])
    layer.eval()
    with tempfile.TemporaryDirectory() as folder:
        paddle.jit.save(layer, f"{folder}/m", input_spec=[paddle.static.InputSpec(x.shape, "float32")])
        config = inference.Config(f"{folder}/m.json", f"{folder}/m.pdiparams")
        config.disable_glog_info()
        config.enable_onednn()
        for name in deleted:
            config.delete_pass(name)
        (y,) = inference.create_predictor(config).run([x])
    return float(np.abs(y.numpy() - layer(x).numpy()).max())


CASES = {
    "ReLU": lambda: run(nn.ReLU()),
    "LeakyReLU, conv_activation_onednn_fuse_pass deleted": lambda: run(
        nn.LeakyReLU(0.1), "conv_activation_onednn_fuse_pass"
    ),
    "LeakyReLU": lambda: run(nn.LeakyReLU(0.1)),
}

if __name__ == "__main__":
    if sys.argv[1:]:
        print(f"agrees within {CASES[sys.argv[1]]():.1e}")
        sys.exit()
    print(f"paddlepaddle {paddle.__version__}, Python {sys.version.split()[0]}")
    for name in CASES:
        ran = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=False)
        print(f"{name}: exit status {ran.returncode}: {ran.stdout.strip() or ran.stderr.strip()[-300:]}")
