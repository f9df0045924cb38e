"""torch.compile with frozen weights fails on a float64 convolution on a CPU.

What happens: with ``torch._inductor.config.freezing`` a convolution in float64 is prepared for oneDNN, which has no
float64: "itensor_view_from_dense expects float/bfloat16/half/int8/fp8 tensor input", raised while compiling.

Expected: the output of the eager module, as without freezing.

Versions: torch 2.13.0 (CPU, Linux x86-64), Python 3.11. Needs only torch and a C++ compiler.
"""

import sys

import torch
from torch._dynamo.exc import BackendCompilerFailed
from torch._inductor import config


@torch.inference_mode()
def main() -> None:
    """Prints what becomes of a convolution in both types, frozen and not."""
    print(f"torch {torch.__version__}, Python {sys.version.split()[0]}")
    for dtype in (torch.float32, torch.float64):
        module, x = torch.nn.Conv2d(3, 4, 3).eval().to(dtype), torch.randn(1, 3, 8, 8, dtype=dtype)
        for freezing in (False, True):
            torch.compiler.reset()
            try:
                with config.patch(freezing=freezing):
                    difference = (torch.compile(module)(x) - module(x)).abs().max()
                result = f"agrees within {difference:.1e}"
            except BackendCompilerFailed as error:
                result = next(line for line in str(error).splitlines() if "Error" in line)
            print(f"{dtype}, freezing={freezing}: {result}")


if __name__ == "__main__":
    main()
