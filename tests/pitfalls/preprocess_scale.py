"""Mean and std are for 0 to 1 or for 0 to 255, and for one data set

torchvision's 0.485 and 0.229 are for images of 0 to 1, which its `ToTensor` makes of bytes. Applied to bytes they make
values of 1000; the network runs, and BatchNorm hides it in training. In Paddle `ToTensor` divides by 255 for bytes
only: an array of float32 is left as it is. Inception and the `tf_` models of timm have another pair: 0.5 and 0.5.
"""

import numpy as np

FROM = "torch"
LAYERS = ()
SYMPTOMS = ("accuracy-lower", "layer-differs", "evaluation-differs")
THREADS = ("https://github.com/openseg-group/OCNet.pytorch/issues/11", "https://github.com/xavysp/DexiNed/issues/38")
DTYPE = "float32"
HARMLESS = ({"DTYPE": "uint8"},)
MEAN = [0.485, 0.456, 0.406]
STD = [0.229, 0.224, 0.225]
IMAGE = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
TERMS = 4


def source():
    import torch

    x = torch.from_numpy(IMAGE).permute(2, 0, 1) / 255
    return ((x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]).numpy()


def prepared(image):
    from paddle.vision import transforms

    return transforms.Normalize(MEAN, STD)(transforms.ToTensor()(image)).numpy()


def naive_paddle():
    return prepared(IMAGE.astype(DTYPE))  # resized or augmented as float32, perhaps


def right_paddle():
    return prepared(IMAGE.astype(DTYPE).astype(np.uint8))
