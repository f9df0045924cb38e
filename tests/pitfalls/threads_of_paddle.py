"""Paddle runs on one processor unless OMP_NUM_THREADS is set before its import

PyTorch uses all processors, and `torch.set_num_threads` changes that at any time. Importing Paddle sets OMP_NUM_THREADS
to 1 if it is unset; changing `os.environ` later had no effect when it was tried. Each function below asks for two
threads in a new process.
"""

import os
import subprocess
import sys

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("slower",)
THREADS = ("https://github.com/PaddlePaddle/Paddle/pull/7208", "https://github.com/PaddlePaddle/Paddle/issues/6071")


def python(code, **environment):
    """What a fresh process prints."""
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    ran = subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=True)
    return np.array(int(ran.stdout.split()[-1]))


def source():
    return python("import torch; torch.set_num_threads(2); print(torch.get_num_threads())")


def naive_paddle():
    return python("import os, paddle; print(os.environ['OMP_NUM_THREADS'])")


def right_paddle():
    return python("import os, paddle; print(os.environ['OMP_NUM_THREADS'])", OMP_NUM_THREADS="2")
