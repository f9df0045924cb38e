"""Paddle Inference with oneDNN ends the process on a BatchNorm2D without scale and shift.

What happens: with ``nn.BatchNorm2D(4, weight_attr=False, bias_attr=False)`` the run is killed by SIGSEGV, in PIR and in
the older programs (``phi::BatchNormKernel<float, phi::OneDNNContext>``). After a convolution PIR refuses the model
instead: "Currently, we can only get shape for dense_tensor or selected_rows."

Expected: the output of the eager layer, as of a norm whose scale is 1 and whose shift is 0.

Versions: paddlepaddle 3.3.1 (CPU, Linux x86-64), Python 3.11. Needs only paddle and numpy.
"""

import contextlib
import subprocess
import sys
import tempfile

import numpy as np
import paddle
from paddle import inference, nn
from paddle.pir_utils import DygraphOldIrGuard

CASES = {
    "with scale and shift, PIR": (".json", {}),
    "without, PIR": (".json", {"weight_attr": False, "bias_attr": False}),
    "with scale and shift, older programs": (".pdmodel", {}),
    "without, older programs": (".pdmodel", {"weight_attr": False, "bias_attr": False}),
}


def run(suffix: str, attributes: dict[str, bool]) -> float:
    """Greatest difference between Paddle Inference and the eager layer."""
    layer, x = nn.BatchNorm2D(4, **attributes), paddle.randn([1, 4, 8, 8])
    layer.eval()
    with (
        tempfile.TemporaryDirectory() as folder,
        DygraphOldIrGuard() if suffix == ".pdmodel" else contextlib.nullcontext(),
    ):
        paddle.jit.save(layer, f"{folder}/m", input_spec=[paddle.static.InputSpec(x.shape, "float32")])
        config = inference.Config(f"{folder}/m{suffix}", f"{folder}/m.pdiparams")
        config.disable_glog_info()
        config.enable_onednn()
        predictor = inference.create_predictor(config)
    predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(x.numpy())
    predictor.run()
    y = predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()
    return float(np.abs(y - layer(x).numpy()).max())


if __name__ == "__main__":
    if sys.argv[1:]:
        print(f"agrees within {run(*CASES[sys.argv[1]]):.1e}")
        sys.exit()
    print(f"paddlepaddle {paddle.__version__}, Python {sys.version.split()[0]}")
    for name in CASES:
        ran = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=False)
        print(f"{name}: exit status {ran.returncode}: {ran.stdout.strip() or ran.stderr.strip()[-300:]}")
