"""What blocks are run on: random arrays, and photographs cropped to size, exactly 0 in their middle.

Zeros show what a norm does where nothing varies, and an activation or a pool where its input is exactly 0. They can
judge outputs alone: the derivative of a ReLU does not exist there, and frameworks take different ones.
"""

import functools

import numpy as np

from common.layers.values import Shape

KINDS = ("random", "photograph")
REACH = 8  # far enough from 0 to exceed the bound of an activation, such as the 6 of ReLU6


@functools.cache
def _photographs() -> list[np.ndarray]:
    """The two RGB photographs (427 x 640) that scikit-learn ships, as float32 NCHW in [-REACH, REACH]."""
    from sklearn.datasets import load_sample_images

    images = load_sample_images()["images"]
    return [image.transpose(2, 0, 1).astype(np.float32) * (REACH / 127.5) - REACH for image in images]


def make(kind: str, shape: Shape, seed: int = 0) -> np.ndarray:
    """A float32 input ``(n, c, h, w)``: standard normal, or crops of photographs, three channels from each crop.

    The middle half of the rows and columns of a photograph is 0.

    Raises:
        ValueError: if a photograph is smaller than the crop.
    """
    if kind == "random":
        return np.random.default_rng([seed, *shape]).standard_normal(shape, np.float32)
    n, c, h, w = shape
    photographs = _photographs()
    height, width = photographs[0].shape[1:]
    if h > height or w > width:
        raise ValueError(f"the photographs are {height} x {width}: no crop of {h} x {w} fits")
    rng = np.random.default_rng([seed, *shape])

    def crop(index: int) -> np.ndarray:
        top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
        return photographs[index % len(photographs)][:, top : top + h, left : left + w]

    x = np.stack([np.concatenate([crop(i + k) for k in range(-(-c // 3))])[:c] for i in range(n)])
    top, left = -(-h // 4), -(-w // 4)
    x[..., top : h - top, left : w - left] = 0
    return x
