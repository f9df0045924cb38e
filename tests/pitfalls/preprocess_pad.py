"""Padding before and after the normalisation is not the same

A border of 0 in an image of bytes is black, which after the normalisation is about -2. A border of 0 that is added
after it is the mean colour. Detection and segmentation pipelines differ in the order, and only pixels near the border
show it. Pad with the mean before, or with 0 after.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("accuracy-lower", "layer-differs")
THREADS = ("https://github.com/pytorch/vision/issues/2950",)
WIDTH = 1
HARMLESS = ({"WIDTH": 0},)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
IMAGE = np.random.default_rng(0).uniform(0, 1, (4, 5, 3)).astype(np.float32)
TERMS = 4


def source():
    import torch

    x = (torch.from_numpy(IMAGE) - torch.from_numpy(MEAN)) / torch.from_numpy(STD)
    return torch.nn.functional.pad(x.permute(2, 0, 1), (WIDTH, WIDTH, WIDTH, WIDTH)).numpy()


def prepared(fill):
    from paddle.vision import transforms

    padded = np.empty((4 + 2 * WIDTH, 5 + 2 * WIDTH, 3), np.float32)
    padded[:] = fill
    padded[WIDTH : WIDTH + 4, WIDTH : WIDTH + 5] = IMAGE
    return transforms.Normalize(MEAN.tolist(), STD.tolist())(padded.transpose(2, 0, 1))


def naive_paddle():
    return prepared(0)


def right_paddle():
    return prepared(MEAN)
